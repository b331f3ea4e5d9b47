import pytest

from winback.warehouse.server import settings

GB = 1024**3


@pytest.mark.parametrize(
    ("memory_gb", "shared_buffers", "work_mem", "max_wal_size"),
    [
        (0.25, "64MB", "8MB", "512MB"),  # never below what PostgreSQL needs to work at all
        (2, "256MB", "8MB", "512MB"),
        (8, "1024MB", "32MB", "1024MB"),
        (256, "2048MB", "64MB", "4096MB"),  # never all of a large machine, which has other work to do
    ],
)
def test_memory_is_shared_with_the_rest_of_the_machine(memory_gb, shared_buffers, work_mem, max_wal_size):
    chosen = settings(int(memory_gb * GB), cores=2)
    assert chosen["shared_buffers"] == shared_buffers
    assert chosen["work_mem"] == work_mem
    assert chosen["max_wal_size"] == max_wal_size


@pytest.mark.parametrize(("cores", "per_query"), [(1, "0"), (2, "1"), (8, "4")])
def test_one_query_takes_at_most_half_of_the_cores(cores, per_query):
    chosen = settings(8 * GB, cores)
    assert chosen["max_parallel_workers"] == str(cores)
    assert chosen["max_parallel_workers_per_gather"] == per_query


def test_listens_on_this_machine_only_and_logs_no_values():
    chosen = settings(8 * GB, cores=2)
    assert chosen["listen_addresses"] == "127.0.0.1"
    assert chosen["unix_socket_directories"] == ""
    assert chosen["log_min_messages"] == "log"
    assert int(chosen["max_connections"]) >= 100
