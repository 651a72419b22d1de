# Two stages: the first has pip and the sources, the second only what runs.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/perplexica \
    && /opt/perplexica/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
    && /opt/build/bin/python -m hatchling build -t wheel -d /dist \
    && /opt/perplexica/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM python:3.12-slim
COPY --from=build /opt/perplexica /opt/perplexica
RUN groupadd --gid 65532 perplexica && useradd --uid 65532 --gid 65532 --no-create-home perplexica \
    && install -d -o 65532 -g 65532 /data
USER 65532:65532
WORKDIR /data
# A library asks where home is while it is imported, and breaks where there is none.
ENV PATH=/opt/perplexica/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/data \
    PERPLEXICA_HOST=0.0.0.0 PERPLEXICA_PORT=3001 PERPLEXICA_DATA_DIR=/data
VOLUME /data
EXPOSE 3001
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PERPLEXICA_PORT'] + '/health/live', timeout=2)"]
ENTRYPOINT ["perplexica"]
