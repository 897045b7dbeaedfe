import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A web shop with the metrics that Spring Boot's actuator has, at the same path and with the same names. */
public final class Shop {
    private static final String METRICS = "/actuator/prometheus";

    public static void main(String[] args) throws IOException {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        List.of(
                new ClassLoaderMetrics(), new FileDescriptorMetrics(), new JvmGcMetrics(), new JvmMemoryMetrics(),
                new JvmThreadMetrics(), new ProcessorMetrics(), new UptimeMetrics())
            .forEach(metrics -> metrics.bindTo(registry));
        var server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            var path = exchange.getRequestURI().getPath();
            var scraped = path.equals(METRICS);
            var body = (scraped ? registry.scrape() : "sold\n").getBytes(StandardCharsets.UTF_8);
            var sample = Timer.start(registry);
            exchange.getResponseHeaders().set("Content-Type", scraped ? "text/plain; version=0.0.4" : "text/plain");
            exchange.sendResponseHeaders(200, body.length);
            try (var out = exchange.getResponseBody()) {
                out.write(body);
            }
            sample.stop(registry.timer(
                "http.server.requests",
                "method", exchange.getRequestMethod(), "status", "200", "uri", scraped ? METRICS : "/**"));
        });
        server.start();
    }
}
