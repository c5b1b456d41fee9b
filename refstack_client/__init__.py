"""Run, collect, bundle, upload: everything that touches a cloud, a process or a terminal."""
