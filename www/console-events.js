// The list of events: what came, what of it is shown. Its rows are made of what anybody may have published.

import { clock, count, find, make, say } from "./console-draw.js";

const KEPT_MAX = 2000; // to search in
const SHOWN_MAX = 200; // rows
const TYPES_MAX = 100; // offered to choose from
const TEXT_MAX = 400; // characters in a row; all of them are below it
const SHOW_MS = 100; // rows are added so often

const kept = []; // the oldest first
const waiting = []; // came since rows were added last, or while paused
const types = new Set();
const log = find("log");
let paused = false, skipped = 0, timer = null, wantedType = "", wantedText = "";

// ---- what is wanted ----

function isWanted(entry) {
    if (entry.mark)
        return true;
    if (wantedType.endsWith("*") && !entry.type.startsWith(wantedType.slice(0, -1)))
        return false;
    if (wantedType && !wantedType.endsWith("*") && entry.type !== wantedType)
        return false;
    return !wantedText || entry.search.includes(wantedText);
}

function readFilters() {
    wantedType = find("filter-type").value.trim();
    wantedText = find("filter-text").value.trim().toLowerCase();
    log.replaceChildren();
    addRows(kept);
    tell();
}

// ---- rows ----

const TINTS = 6;

/** The same colour for all of a family: what stands before the first dot. */
function tint(type) {
    let hash = 7;

    for (const c of type.split(/[.:/]/, 1)[0])
        hash = (hash * 31 + c.codePointAt(0)) % 9973;
    return hash % TINTS;
}

function when(date) {
    const today = date.toDateString() === new Date().toDateString();
    const day = today ? "" : `${date.toLocaleDateString("en", { month: "short", day: "numeric" })} `;

    return `${day}${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function shorten(text) {
    return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function makeRow(entry) {
    if (entry.mark)
        return make("li", { class: "mark", "data-kind": entry.mark }, entry.text);
    const { event } = entry;
    const date = new Date(event.time * 1000);
    const peer = event.peer ?? {};
    const through = peer.client ? `${peer.client}, through ` : "";
    const summary = make("summary", {},
        make("time", { datetime: date.toISOString(), title: date.toISOString() }, when(date)),
        make("span", { class: `type tint-${tint(entry.type)}` }, entry.type),
        make("span", { class: "who", title: `${through}${peer.user}, uid ${peer.uid}, pid ${peer.pid}` },
            String(peer.client || (peer.user ?? peer.uid ?? ""))),
        make("code", {}, shorten(entry.data)));
    const details = make("details", {}, summary);

    // Made when it is opened: most never are.
    details.addEventListener("toggle", () => {
        if (details.open && details.children.length === 1)
            details.append(make("pre", {}, JSON.stringify(event, null, 2)));
    });
    return make("li", { "data-id": event.id }, details);
}

function addRows(entries) {
    const rows = entries.filter(isWanted).slice(-SHOWN_MAX).map(makeRow).reverse();

    log.prepend(...rows);
    while (log.children.length > SHOWN_MAX)
        log.lastElementChild.remove();
}

function offer(type) {
    if (types.has(type) || types.size >= TYPES_MAX)
        return;
    types.add(type);
    find("types").append(make("option", { value: type }));
}

// ---- what comes ----

function keep(entries) {
    kept.push(...entries);
    kept.splice(0, Math.max(0, kept.length - KEPT_MAX));
}

function show() {
    timer = null;
    if (!paused) {
        const entries = waiting.splice(0);

        keep(entries);
        addRows(entries);
    }
    tell();
}

function tell() {
    const shown = log.querySelectorAll("li[data-id]").length, events = kept.filter((entry) => !entry.mark).length;
    const text = events === 0 ? "" : `${count(shown)} of ${count(events)} shown`;

    if (paused)
        say(find("events-count"), `paused, ${count(waiting.length + skipped)} new${text && `, ${text}`}`);
    else
        say(find("events-count"), text || "none in the last 24 hours");
}

/** Those that are waiting are as many as are kept: of more, the oldest are left out, with a word. */
function arrive(entry) {
    waiting.push(entry);
    if (waiting.length > KEPT_MAX) {
        waiting.shift();
        skipped++;
    }
    timer ??= setTimeout(show, SHOW_MS);
}

export function addMark(kind, text) {
    arrive({ mark: kind, text });
}

/** The text of one message. Returns the number of its event, or null where it is none of the log's. */
export function addEvent(text) {
    const event = JSON.parse(text);

    if (event.type === "berth.missed") {
        const missed = event.data?.missed ?? null;

        addMark("missed", missed === null ? "events are missing here: nobody knows how many" :
            `${count(missed)} ${missed === 1 ? "event is" : "events are"} missing here`);
        return null;
    }
    const type = String(event.type), data = JSON.stringify(event.data ?? undefined) ?? "";

    offer(type);
    arrive({ event, type, data, search: text.toLowerCase() });
    return event.id ?? null;
}

// ---- what its reader does ----

function togglePause() {
    const button = find("pause");

    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused && skipped > 0)
        waiting.unshift({ mark: "missed", text: `${count(skipped)} more came while this was paused, and are not kept here` });
    skipped = paused ? skipped : 0;
    show();
}

export function startEvents() {
    find("pause").addEventListener("click", togglePause);
    find("filter-type").addEventListener("input", readFilters);
    find("filter-text").addEventListener("input", readFilters);
    tell();
}
