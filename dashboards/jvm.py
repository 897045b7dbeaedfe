"""Java programs that expose Micrometer's metrics, whichever job scrapes them."""

from .expressions import CLUSTER, FULL, ONE, RED, YELLOW, rate_by
from .model import Dashboard, Query, Row, Stat, Step, TimeSeries, Variable

_JOB = Variable("job", f'label_values(jvm_memory_used_bytes{{{ONE}, job=~".+"}}, job)', many=True)
_CHOSEN = f'{ONE}, job=~"$job"'
_NAMESPACE = Variable("namespace", f"label_values(jvm_memory_used_bytes{{{_CHOSEN}}}, namespace)")
_POD = Variable("pod", f'label_values(jvm_memory_used_bytes{{{_CHOSEN}, namespace="$namespace"}}, pod)', many=True)
_HERE = f'{_CHOSEN}, namespace="$namespace", pod=~"$pod"'
_NONE = "No pod here exposes Micrometer's metrics, or none is scraped: by its annotations, or as an application."
_HEAP = f'{_HERE}, area="heap"'


def _rate(metric: str, by: str, more: str = "") -> str:
    return rate_by(metric, f"{_HERE}{more}", by)


_ALL = _rate("http_server_requests_seconds_count", "namespace")
_FAILED = _rate("http_server_requests_seconds_count", "namespace", ', status=~"5.."')

_NOW = Row(
    "Now",
    (
        Stat(
            title="Requests per second",
            description="Answered by all pods that are chosen.",
            empty="No request was served, or the program serves none over HTTP.",
            expr=_ALL,
            unit="reqps",
        ),
        Stat(
            title="Errors",
            description="Share of the answers that are 5xx.",
            empty="No request was served, or the program serves none over HTTP.",
            expr=f"({_FAILED} or 0 * {_ALL}) / {_ALL}",
            unit="percentunit",
            steps=(Step(0.01, YELLOW), Step(0.05, RED)),
        ),
        Stat(
            title="Heap used",
            description="Of the most that it may grow to, in the fullest pod. Near 100 % it only collects garbage.",
            empty=_NONE,
            expr=(
                f"max(sum by (pod) (jvm_memory_used_bytes{{{_HEAP}}})"
                f" / sum by (pod) (jvm_memory_max_bytes{{{_HEAP}}} > 0))"
            ),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Threads",
            description="Of all pods that are chosen.",
            empty=_NONE,
            expr=f"sum(jvm_threads_live_threads{{{_HERE}}})",
            unit="none",
        ),
        Stat(
            title="Errors logged per second",
            description="Lines of level error.",
            empty="The program does not count what it logs (logback_events_total).",
            expr=_rate("logback_events_total", "namespace", ', level="error"'),
            unit="cps",
        ),
        Stat(
            title="Youngest is up for",
            description="Since the start of the program that was started last.",
            empty=_NONE,
            expr=f"min(process_uptime_seconds{{{_HERE}}})",
            unit="s",
        ),
    ),
)

_HTTP = Row(
    "Requests",
    (
        TimeSeries(
            title="Requests by answer",
            description="By status.",
            empty="No request was served, or the program serves none over HTTP.",
            queries=(Query(_rate("http_server_requests_seconds_count", "status"), "{{status}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Mean time by path",
            description="The ten slowest.",
            empty="No request was served, or the program serves none over HTTP.",
            queries=(
                Query(
                    f"topk(10, {_rate('http_server_requests_seconds_sum', 'method, uri')}"
                    f" / ({_rate('http_server_requests_seconds_count', 'method, uri')} > 0))",
                    "{{method}} {{uri}}",
                ),
            ),
            unit="s",
        ),
        TimeSeries(
            title="Connections to databases",
            description="Share of the pool in use. At 100 % requests wait for a connection.",
            empty="The program has no pool of HikariCP.",
            queries=(
                Query(
                    f"max by (pod, pool) (hikaricp_connections_active{{{_HERE}}}"
                    f" / hikaricp_connections_max{{{_HERE}}})",
                    "{{pod}} {{pool}}",
                ),
            ),
            unit="percentunit",
            steps=FULL,
        ),
    ),
)

_JVM = Row(
    "JVM",
    (
        TimeSeries(
            title="Heap",
            description="By pod. The lows after collections are what is needed; lows that climb are a leak.",
            empty=_NONE,
            queries=(Query(f"sum by (pod) (jvm_memory_used_bytes{{{_HEAP}}})", "{{pod}}"),),
            unit="bytes",
        ),
        TimeSeries(
            title="Outside the heap",
            description="Classes, code and threads. The container's limit must cover it in addition to the heap.",
            empty=_NONE,
            queries=(Query(f'sum by (pod) (jvm_memory_used_bytes{{{_HERE}, area="nonheap"}})', "{{pod}}"),),
            unit="bytes",
        ),
        TimeSeries(
            title="Garbage collection",
            description="Share of the time in which the program stood still. Above 10 % its users feel it.",
            empty="No collection has paused the program.",
            queries=(Query(_rate("jvm_gc_pause_seconds_sum", "pod"), "{{pod}}"),),
            unit="percentunit",
            steps=(Step(0.1, RED),),
        ),
        TimeSeries(
            title="CPU",
            description="Share of the CPUs that the program may use.",
            empty=_NONE,
            queries=(Query(f"max by (pod) (process_cpu_usage{{{_HERE}}})", "{{pod}}"),),
            unit="percentunit",
        ),
        TimeSeries(
            title="Threads by state",
            description="Many blocked ones wait for the same lock.",
            empty=_NONE,
            queries=(Query(f"sum by (state) (jvm_threads_states_threads{{{_HERE}}})", "{{state}}"),),
            unit="none",
        ),
        TimeSeries(
            title="Files open",
            description="Share of the files that the program may have open.",
            empty=_NONE,
            queries=(
                Query(
                    f"max by (pod) (process_files_open_files{{{_HERE}}} / process_files_max_files{{{_HERE}}})",
                    "{{pod}}",
                ),
            ),
            unit="percentunit",
            steps=FULL,
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-jvm",
    title="JVM (Micrometer)",
    description="Java programs: their requests, memory, collections and threads.",
    variables=(CLUSTER, _JOB, _NAMESPACE, _POD),
    rows=(_NOW, _HTTP, _JVM),
)
