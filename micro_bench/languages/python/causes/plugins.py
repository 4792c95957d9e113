"""Which plugin of pytest supplies a fixture or an option. Widespread ones, known by their names."""

from __future__ import annotations

from micro_bench.languages.python.values import words

ASYNC = ("pytest-asyncio", "anyio", "pytest-trio", "pytest-tornasync", "pytest-twisted")

_FIXTURES = {
    "pytest-mock": "mocker class_mocker module_mocker session_mocker",
    "pytest-benchmark": "benchmark benchmark_weave",
    "pytest-django": (
        "db transactional_db client admin_client admin_user django_user_model rf settings"
        " live_server django_db_blocker django_db_setup django_assert_num_queries mailoutbox"
        " async_client django_assert_max_num_queries django_capture_on_commit_callbacks"
    ),
    "pytest-flask": "client_class live_server_scope",
    "pytest-asyncio": "event_loop unused_tcp_port unused_tcp_port_factory event_loop_policy",
    "pytest-aiohttp": "aiohttp_client aiohttp_server aiohttp_raw_server aiohttp_unused_port",
    "pytest-httpserver": "httpserver make_httpserver",
    "pytest-httpbin": "httpbin httpbin_secure httpbin_both",
    "pytest-httpx": "httpx_mock",
    "respx": "respx_mock",
    "requests-mock": "requests_mock",
    "responses": "responses",
    "pytest-freezer": "freezer",
    "pytest-qt": "qtbot qapp qtmodeltester",
    "pytest-datadir": "datadir shared_datadir original_datadir lazy_datadir",
    "pytest-regressions": (
        "data_regression file_regression num_regression image_regression dataframe_regression"
    ),
    "syrupy": "snapshot",
    "pytest-subtests": "subtests",
    "pytest-recording": "vcr block_network",
    "pytest-vcr": "vcr_config vcr_cassette",
    "pytest-factoryboy": "factoryboy_request",
    "faker": "faker",
    "pyfakefs": "fs fs_class fs_module fs_session",
    "pytest-xdist": "worker_id testrun_uid",
    "pytest-cov": "cov no_cover",
    "pytest-postgresql": "postgresql postgresql_proc postgresql_noproc",
    "pytest-redis": "redisdb redis_proc",
    "pytest-console-scripts": "script_runner",
    "pytest-localserver": "httpsserver smtpserver",
    "pytest-celery": "celery_app celery_worker celery_session_app celery_session_worker",
    "pytest-sanic": "test_client sanic_client",
    "pytest-bdd": "pytestbdd_stepdef_given_",
    "pytest-tornado": "http_client http_server io_loop base_url",
    "pytest-socket": "socket_disabled socket_enabled",
    "pytest-trio": "nursery autojump_clock mock_clock",
    "pytest-plt": "plt",
    "pytest-mpl": "mpl_image_compare",
    "pytest-env": "",
}
FIXTURES = {name: plugin for plugin, names in _FIXTURES.items() for name in words(names)}
"""Fixture -> plugin."""

_OPTIONS = {
    "pytest-django": "--ds --dc --reuse-db --create-db --nomigrations --no-migrations",
    "pytest-asyncio": "--asyncio-mode",
    "pytest-cov": "--cov --cov-report --cov-config --no-cov --cov-append --cov-branch",
    "pytest-xdist": "-n --dist --numprocesses --maxprocesses",
    "pytest-timeout": "--timeout --timeout-method",
    "pytest-socket": "--disable-socket --allow-hosts --allow-unix-socket",
    "pytest-benchmark": "--benchmark-disable --benchmark-skip --benchmark-only",
    "pytest-randomly": "--randomly-seed --randomly-dont-reorganize",
    "pytest-rerunfailures": "--reruns --reruns-delay",
    "pytest-recording": "--block-network --record-mode",
    "pytest-doctestplus": "--doctest-plus --doctest-rst",
    "pytest-mypy-plugins": "--mypy-ini-file --mypy-only-local-stub --mypy-same-process",
    "pytest-mpl": "--mpl --mpl-baseline-path",
    "pytest-httpbin": "--httpbin",
    "syrupy": "--snapshot-update",
}
OPTIONS = {name: plugin for plugin, names in _OPTIONS.items() for name in words(names)}
"""Option -> plugin."""
