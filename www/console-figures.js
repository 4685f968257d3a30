// What /metrics and /routes say, drawn.

import { Chart, Series, arrange, clock, count, find, make, mebibytes, rate, say, seconds } from "./console-draw.js";
import { Reading, growth, quantile } from "./console-metrics.js";

const readings = []; // of the last seconds, the oldest first
let applications = null;
let replaced = null; // { at, count }: the last time that more workers had been replaced
const series = new Map();

const APART_MS = 500; // two readings that are closer say little of the time between them
const JOIN_MS = 5000; // a reading after a longer pause begins anew; and the time of which quantiles are

function track(key, time, value) {
    if (!series.has(key))
        series.set(key, new Series());
    series.get(key).add(time, value);
    return series.get(key);
}

// ---- the most important ones ----

const tiles = [
    ["requests", "Requests per second"],
    ["median", "Time, median"],
    ["slow", "Time, 99th percentile"],
    ["errors", "Errors per second"],
    ["connections", "Connections"],
    ["readers", "Readers of events"],
    ["stored", "Events per second"],
    ["memory", "Memory"],
].map(([key, title]) => ({ key, title }));

function buildTile({ key, title }) {
    const chart = new Chart(160, 36);
    const value = make("span", { class: "value" }), note = make("span", { class: "note" });
    const element = make("div", { class: "tile", "data-key": key }, make("dt", {}, title), make("dd", {}, value, note),
        chart.element);

    return { element, chart, value, note };
}

/** What each tile says: [value, text, note]. */
function tileValues(now, old, oldest) {
    const per = old ? (now.time - old.time) / 1000 : null;
    const grew = (get) => per ? growth(get(now), get(old)) / per : null;
    const figure = (name) => now.figure(name) ?? 0;
    const memory = now.figure("berth_proportional_memory_bytes") ?? figure("berth_resident_memory_bytes");
    const requests = grew((reading) => reading.requests), errors = grew((reading) => reading.errors);
    const stored = grew((reading) => reading.figure("berth_events_stored_total") ?? 0);
    const median = oldest && quantile(0.5, now, oldest), slow = oldest && quantile(0.99, now, oldest);

    return {
        requests: [requests, rate(requests), `${count(now.requests)} in all`],
        median: [median, seconds(median)],
        slow: [slow, seconds(slow)],
        errors: [errors, rate(errors), `${count(now.errors)} in all`],
        connections: [figure("berth_connections"), count(figure("berth_connections")),
            `${count(figure("berth_connections_total"))} in all`],
        readers: [figure("berth_events_subscribers"), count(figure("berth_events_subscribers")),
            figure("berth_held_replies") > 0 ? `${count(figure("berth_held_replies"))} replies held` : ""],
        stored: [stored, rate(stored), `${count(figure("berth_events_stored_total"))} in all`],
        memory: [memory, mebibytes(memory), `${count(figure("berth_workers") + 1)} processes`],
    };
}

function showTiles(now, old, oldest) {
    const values = tileValues(now, old, oldest);

    arrange(document.querySelector(".tiles"), tiles, ({ key }) => key, buildTile, (tile, { key }) => {
        const [value, text, note = ""] = values[key];

        say(tile.value, text);
        say(tile.note, note);
        tile.chart.show(track(key, now.time, value), now.time);
    });
}

// ---- routes ----

const routeKey = ({ method, path }) => `${method} ${path}`;

/** Those that /routes lists, in its order, then those that only /metrics knows; first those that were asked for. */
function listRoutes() {
    const list = [], seen = new Set();

    for (const application of applications ?? [])
        for (const route of application.routes) {
            list.push({ ...route, application });
            seen.add(routeKey(route));
        }
    for (const route of readings.at(-1)?.routes.values() ?? [])
        if (!seen.has(routeKey(route)))
            list.push(route);
    const asked = (route) => readings.at(-1)?.routes.has(routeKey(route)) ? 0 : 1;
    return list.sort((a, b) => asked(a) - asked(b));
}

function buildRoute({ method, path }) {
    const name = method === "none" ? "no route matched" : method === "other" ? "all others" : path;
    const cells = {
        application: make("td", { class: "wide quiet" }), rate: make("span"), mean: make("span"),
        errors: make("td", { class: "number" }),
        total: make("td", { class: "number wide" }),
    };
    const charts = { rate: new Chart(72, 20), mean: new Chart(72, 20) };
    const element = make("tr", {},
        make("th", { scope: "row" }, make("span", { class: "method" }, name === path ? method : ""),
            make("code", {}, name)),
        cells.application,
        make("td", { class: "number" }, make("div", { class: "charted" }, charts.rate.element, cells.rate)),
        make("td", { class: "number" }, make("div", { class: "charted" }, charts.mean.element, cells.mean)),
        cells.errors, cells.total);

    return { element, cells, charts };
}

function showRouteRows(now, old) {
    const per = old ? (now.time - old.time) / 1000 : null;

    arrange(find("routes-rows"), listRoutes(), routeKey, buildRoute, (row, route) => {
        const is = now?.routes.get(routeKey(route)), was = old?.routes.get(routeKey(route));
        const requests = is && old ? growth(is.requests, was?.requests ?? 0) : 0;
        const perSecond = is ? (old ? requests / per : null) : 0;
        const mean = requests > 0 ? growth(is.seconds, was?.seconds ?? 0) / requests : null;

        row.element.classList.toggle("idle", !is);
        say(row.cells.application, route.application?.name ?? "");
        row.cells.application.title = route.application?.app ?? "";
        say(row.cells.rate, now ? rate(perSecond) : "");
        say(row.cells.mean, is ? seconds(mean ?? is.seconds / is.requests) : "");
        say(row.cells.errors, is ? count(is.errors) : "");
        row.cells.errors.classList.toggle("bad", Boolean(is?.errors));
        say(row.cells.total, is ? count(is.requests) : "");
        if (!now)
            return;
        row.charts.rate.show(track(`${routeKey(route)} rate`, now.time, perSecond), now.time);
        row.charts.mean.show(track(`${routeKey(route)} mean`, now.time, mean), now.time);
    });
    say(find("routes-count"), find("routes-rows").children.length || "");
    find("routes-table").hidden = find("routes-rows").children.length === 0;
}

/** `list` is null where it may not be seen. */
export function showRoutes(list) {
    applications = list;
    if (readings.length === 0)
        showRouteRows(null, null);
}

// ---- processes and users ----

function buildProcess({ name }) {
    const chart = new Chart(72, 20), own = make("span"), resident = make("td", { class: "number" });
    const element = make("tr", {}, make("th", { scope: "row" }, name),
        make("td", { class: "number" }, make("div", { class: "charted" }, chart.element, own)), resident);

    return { element, chart, own, resident };
}

function showProcesses(now) {
    const list = now.all("berth_resident_memory_bytes").map(({ labels, value }) => ({
        name: labels.process, resident: value,
        own: now.figure("berth_proportional_memory_bytes", { process: labels.process }),
    }));

    arrange(find("processes-rows"), list, ({ name }) => name, buildProcess, (row, { name, resident, own }) => {
        say(row.own, own === null ? "–" : mebibytes(own));
        say(row.resident, mebibytes(resident));
        row.chart.show(track(`memory of ${name}`, now.time, own ?? resident), now.time);
    });
    say(find("processes-count"), String(list.length));
}

const reasons = [["signal", "crashed"], ["exit", "ended"], ["timeout", "hung"], ["max-requests", "retired"]];

function showRestarts(now, old) {
    const sum = (reading) => reading.figure("berth_worker_restarts_total") ?? 0;
    const facts = reasons.map(([reason, text]) =>
        ({ text: `Workers that ${text}`, value: now.figure("berth_worker_restarts_total", { reason }) ?? 0,
            bad: reason !== "max-requests" }));

    if (old && sum(now) > sum(old))
        replaced = { at: new Date(now.wall), count: sum(now) - sum(old) };
    const reloads = (result) => now.figure("berth_reloads_total", { result }) ?? 0;
    facts.push({ text: "Reloads", value: reloads("succeeded") });
    facts.push({ text: "Reloads that failed", value: reloads("failed"), bad: true });
    facts.push({ text: "Last replaced", value: replaced ? clock(replaced.at) : "–" });
    arrange(find("restarts"), facts, ({ text }) => text, ({ text }) => {
        const value = make("dd");

        return { element: make("div", {}, make("dt", {}, text), value), value };
    }, (row, { value, bad }) => {
        say(row.value, typeof value === "number" ? count(value) : value);
        row.value.classList.toggle("bad", Boolean(bad) && value > 0);
    });
}

function buildUser() {
    const name = make("span", { class: "name" }), uid = make("span", { class: "quiet" });
    const bar = make("span", { class: "bar" }), value = make("span", { class: "value" });

    return { element: make("li", {}, name, uid, make("span", { class: "track", "aria-hidden": "true" }, bar), value),
        name, uid, bar, value };
}

function showUsers(now) {
    const users = now.all("berth_connections_by_user").toSorted((a, b) => b.value - a.value);
    const most = users[0]?.value ?? 1;

    arrange(find("users-rows"), users, ({ labels }) => labels.uid, buildUser, (row, { labels, value }) => {
        const other = labels.uid === "other";

        say(row.name, other ? "all others" : labels.user ?? `uid ${labels.uid}`);
        say(row.uid, !other && labels.user ? `uid ${labels.uid}` : "");
        say(row.value, count(value));
        row.bar.style.width = `${100 * value / most}%`;
    });
    say(find("users-count"), users.length === 1 ? "1 user" : `${count(users.length)} users`);
}

// ---- a reading ----

export function showFigures(text) {
    const now = new Reading(text, performance.now());

    now.wall = Date.now();
    while (readings.length > 0 && now.time - readings[0].time > JOIN_MS)
        readings.shift();
    const old = readings.at(-1) ?? null, oldest = readings[0] ?? null;
    if (old && now.time - old.time < APART_MS)
        return;
    readings.push(now);
    showTiles(now, old, oldest);
    showRouteRows(now, old);
    showProcesses(now);
    showRestarts(now, old);
    showUsers(now);
}

/** They may not be seen any more. */
export function forgetFigures() {
    readings.length = 0;
}
