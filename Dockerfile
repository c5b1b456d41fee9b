# The certification in a container (docs/how-to/container.rst) and, as the target "server", the
# collector (docs/how-to/server.rst). Built by any docker or podman, also offline where the base image is at hand.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS source
WORKDIR /src
COPY setup.cfg pyproject.toml constraints.txt requirements-server.txt README.rst LICENSE ./
COPY capabilities capabilities
COPY scoring scoring
COPY refstack_client refstack_client
COPY refstack_server refstack_server

FROM source AS build
# What no run needs is not carried: pip, what only other uses of the plugins import, what statements
# about bundles are made with, tests of libraries, translations, sources of extensions. What is
# imported is compiled once, by listing the tests, and what only a run imports besides: on a
# read-only root every process would do it again. So would it list the tests, and the list is kept.
RUN python3 -m venv --without-pip /opt/refstack \
    && pip="python3 -m pip --python /opt/refstack/bin/python --disable-pip-version-check --quiet" \
    && $pip install --no-cache-dir --no-compile -c constraints.txt ".[add-ons]" \
    && $pip uninstall --yes amqp eventlet greenlet in-toto-attestation kombu lxml os-collect-config \
        oslo.messaging oslo.metrics paste pastedeploy protobuf pyparsing securesystemslib setuptools \
        tzdata vine webob \
    && cd /opt/refstack/lib/python3*/site-packages \
    && find . -type d \( -name tests -o -name locale \) \
        -not -path "./tempest*" -not -path "./*_tempest_plugin/*" -prune -exec rm -rf {} + \
    && find . \( -name "*.[ch]" -o -name "*.py[xi]" -o -name "oui.txt" \) -delete \
    && export PATH=/opt/refstack/bin:$PATH && python -m compileall -q capabilities \
        keystoneauth1 refstack_client scoring stestr tomlkit voluptuous \
    && refstack-client help certify >/dev/null \
    && python -c "from refstack_client.tempest import inventory; inventory.prepare()" \
    && refstack-client plan --guideline orchestration.2020.06 | tee /dev/stderr | grep -q " 0 missing in "

# What an image knows of itself goes into bundles: its base image and the list of its packages.
ARG BASE
ARG BASE_DIGEST=
RUN cd /opt/refstack/share/refstack-client \
    && python3 -m venv /bom && /bom/bin/pip --disable-pip-version-check --quiet install \
        --no-cache-dir -c /src/constraints.txt cyclonedx-bom \
    && /bom/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
        --output-file sbom.json /opt/refstack/bin/python \
    && BASE="${BASE}" DIGEST="${BASE_DIGEST}" python3 -c 'import json, os; \
base = {"name": os.environ["BASE"], "digest": os.environ["DIGEST"] or None}; \
print(json.dumps({"base": base}))' > image.json

FROM ${BASE} AS client
ARG VERSION=0.1.0
ARG TEMPEST=47.0.0
ARG SOURCE=
ARG REVISION=
ARG GUIDELINES="2015.03 to 2020.06, 2022.11, add-ons, scs-0128"
LABEL org.opencontainers.image.title="refstack-client" \
      org.opencontainers.image.description="Certify OpenStack clouds against interoperability guidelines" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
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

# Every package of the collector is checked against its hash; what runs tests is not among them.
FROM source AS build-server
RUN python3 -m venv --without-pip /opt/refstack \
    && pip="python3 -m pip --python /opt/refstack/bin/python --disable-pip-version-check --quiet" \
    && $pip install --no-cache-dir --no-compile --require-hashes -r requirements-server.txt \
    && $pip install --no-cache-dir --no-compile --no-deps . \
    && /opt/refstack/bin/python -m compileall -q /opt/refstack/lib

FROM ${BASE} AS server
COPY --from=build-server /opt/refstack /opt/refstack
ENV PATH=/opt/refstack/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
RUN mkdir -m 0700 /var/lib/refstack && chown 65532:65532 /var/lib/refstack
USER 65532:65532
VOLUME /var/lib/refstack
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD python3 -c \
    'import urllib.request as r; r.urlopen("http://127.0.0.1:8000/health", timeout=5)'
ENTRYPOINT ["refstack-client", "server"]
CMD ["--data", "/var/lib/refstack", "--host", "0.0.0.0"]

# What is built where no target is named.
FROM client
