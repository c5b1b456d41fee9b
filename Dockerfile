# The certification in a container: docs/container.rst. Built by any docker or podman, also offline
# where the base image is at hand.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY setup.cfg pyproject.toml constraints.txt README.rst ./
COPY capabilities capabilities
COPY scoring scoring
COPY refstack_client refstack_client
# What no run needs is not carried: pip, what only other uses of the plugins import, tests of libraries,
# translations, sources of extensions. What is imported is compiled once, by listing the tests:
# on a read-only root every process would do it again.
RUN python3 -m venv --without-pip /opt/refstack \
    && pip="python3 -m pip --python /opt/refstack/bin/python --disable-pip-version-check --quiet" \
    && $pip install --no-cache-dir --no-compile -c constraints.txt ".[add-ons]" \
    && $pip uninstall --yes amqp eventlet greenlet kombu lxml os-collect-config oslo.messaging \
        oslo.metrics paste pastedeploy pyparsing setuptools tzdata vine webob \
    && cd /opt/refstack/lib/python3*/site-packages \
    && find . -type d \( -name tests -o -name locale \) \
        -not -path "./tempest*" -not -path "./*_tempest_plugin/*" -prune -exec rm -rf {} + \
    && find . \( -name "*.[ch]" -o -name "*.py[xi]" -o -name "oui.txt" \) -delete \
    && export PATH=/opt/refstack/bin:$PATH && refstack-client help certify >/dev/null \
    && refstack-client plan --guideline orchestration.2020.06 | tee /dev/stderr | grep -q " 0 missing in "

FROM ${BASE}
ARG VERSION=0.1.0
ARG TEMPEST=47.0.0
ARG GUIDELINES="2015.03 to 2020.06, 2022.11, add-ons, scs-0128"
LABEL org.opencontainers.image.title="refstack-client" \
      org.opencontainers.image.description="Certify OpenStack clouds against interoperability guidelines" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      refstack.tempest="${TEMPEST}" \
      refstack.guidelines="${GUIDELINES}"
COPY --from=build /opt/refstack /opt/refstack
# Any user may run it: nothing is written but to /results and /tmp.
ENV PATH=/opt/refstack/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    REFSTACK_OUTPUT=/results
RUN mkdir -p /results /etc/openstack && chmod 1777 /results
USER 65532:65532
WORKDIR /results
ENTRYPOINT ["refstack-client"]
CMD ["--help"]
