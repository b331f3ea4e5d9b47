# Airflow with Winback in it. The requirements are locked by hash, and the same as on a laptop.
FROM python:3.12-slim-bookworm AS packages
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
COPY requirements /requirements
RUN python -m venv /opt/venv \
 && python -m pip install --no-cache-dir --require-hashes -r /requirements/uv.txt \
 && uv pip install --python /opt/venv/bin/python --no-cache --compile-bytecode --require-hashes \
      -r /requirements/runtime.txt

FROM python:3.12-slim-bookworm
RUN useradd --uid 50000 --create-home winback \
 && install -d -o winback -g winback /opt/airflow /opt/winback/.winback
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/winback/src/winback/airflow/local_settings \
    AIRFLOW_HOME=/opt/airflow \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /opt/winback
COPY pyproject.toml README.md winback.yml ./
COPY requirements requirements
COPY src src
COPY expectations expectations
COPY dags dags
COPY dbt_project dbt_project
COPY reports reports
COPY docker docker
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation -e .
USER winback
