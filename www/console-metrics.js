// Figures in Prometheus' text form, and what two readings say of the time between them.

/** Name → list of { labels, value }. */
export function parse(text) {
    const families = new Map();

    for (const line of text.split("\n")) {
        const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);

        if (!match)
            continue;
        const labels = {};
        for (const [, name, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
            labels[name] = value.replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
        if (!families.has(match[1]))
            families.set(match[1], []);
        families.get(match[1]).push({ labels, value: Number(match[3]) });
    }
    return families;
}

/** One reading of /metrics. */
export class Reading {
    constructor(text, time) {
        this.time = time;
        this.families = parse(text);
        this.routes = new Map();
        this.readRoutes();
    }

    all(name) {
        return this.families.get(name) ?? [];
    }

    /** Of one figure, or of all with these labels together; null: there is none. */
    figure(name, labels = {}) {
        const wanted = Object.entries(labels);
        const found = this.all(name).filter((row) => wanted.every(([key, value]) => row.labels[key] === value));

        return found.length > 0 ? found.reduce((sum, row) => sum + row.value, 0) : null;
    }

    readRoutes() {
        for (const { labels, value } of this.all("berth_requests_total")) {
            const route = this.route(labels);

            route.requests += value;
            if (labels.class === "4xx" || labels.class === "5xx")
                route.errors += value;
        }
        for (const { labels, value } of this.all("berth_route_seconds_total"))
            this.route(labels).seconds += value;
    }

    route({ method, route: path }) {
        const key = `${method} ${path}`;

        if (!this.routes.has(key))
            this.routes.set(key, { method, path, requests: 0, errors: 0, seconds: 0 });
        return this.routes.get(key);
    }

    get requests() {
        return [...this.routes.values()].reduce((sum, route) => sum + route.requests, 0);
    }

    get errors() {
        return [...this.routes.values()].reduce((sum, route) => sum + route.errors, 0) +
            (this.figure("berth_library_errors_total") ?? 0);
    }

    /** Upper bound → how many were not slower. */
    get buckets() {
        return this.all("berth_request_duration_seconds_bucket")
            .map(({ labels, value }) => [labels.le === "+Inf" ? Infinity : Number(labels.le), value]);
    }
}

/** How much a counter grew. One that fell began anew, with its server. */
export const growth = (now, before) => now >= before ? now - before : now;

/** The time that a share of the requests between two readings did not exceed, as well as buckets tell; null: none. */
export function quantile(share, now, before) {
    const old = new Map(before.buckets);
    const grown = now.buckets.map(([bound, value]) => [bound, growth(value, old.get(bound) ?? 0)]);
    const wanted = (grown.at(-1)?.[1] ?? 0) * share;
    let low = 0, below = 0;

    if (wanted === 0)
        return null;
    for (const [bound, value] of grown) {
        if (value >= wanted)
            return bound === Infinity ? low : low + (bound - low) * (wanted - below) / (value - below);
        low = bound;
        below = value;
    }
    return low;
}
