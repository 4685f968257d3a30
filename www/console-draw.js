// Elements, numbers as people read them, and small charts. Whatever comes from the server becomes text nodes and
// attributes; nothing here makes elements from text.

const SVG = "http://www.w3.org/2000/svg";
const WINDOW_MS = 120000; // what a chart shows; at the beginning, less:
const WINDOW_MIN_MS = 30000;
const GAP_MS = 5000; // two samples further apart are not joined

const LOADED_AT = performance.now();

export const find = (id) => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes) {
    return fill(document.createElementNS(SVG, name), attributes, []);
}

function fill(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes))
        element.setAttribute(key, value);
    element.append(...children);
    return element;
}

/** Writes a text only where it is another, so that a reader of screens is not told the same again. */
export function say(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

/** Makes the children of a parent those of a list, in its order; each item keeps its element, by its key. */
export function arrange(parent, items, keyOf, build, update) {
    const known = parent.byKey ??= new Map();
    const wanted = new Map();

    for (const item of items) {
        const key = keyOf(item);
        const row = known.get(key) ?? build(item);

        wanted.set(key, row);
        update(row, item);
    }
    for (const [key, row] of known)
        if (!wanted.has(key))
            row.element.remove();
    let at = parent.firstChild;
    for (const row of wanted.values())
        if (row.element === at)
            at = at.nextSibling;
        else
            parent.insertBefore(row.element, at);
    parent.byKey = wanted;
}

// ---- numbers ----

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (n) => whole.format(n);
export const rate = (n) => n === null ? "–" : n === 0 ? "0" : n < 100 ? tenths.format(n) : whole.format(n);

export function seconds(s) {
    if (s === null)
        return "–";
    if (s < 0.001)
        return `${whole.format(s * 1e6)} µs`;
    if (s < 1)
        return `${s < 0.1 ? tenths.format(s * 1e3) : whole.format(s * 1e3)} ms`;
    return s < 100 ? `${tenths.format(s)} s` : span(s);
}

export const mebibytes = (bytes) => `${tenths.format(bytes / 1048576)} MiB`;

export function span(s) {
    const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24, minutes = Math.floor(s / 60) % 60;

    if (days > 0)
        return `${days} d ${hours} h`;
    if (hours > 0)
        return `${hours} h ${minutes} min`;
    return minutes > 0 ? `${minutes} min` : `${Math.floor(s)} s`;
}

const two = (n) => String(n).padStart(2, "0");

export const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

// ---- charts ----

/** What was seen of one figure in the last minutes. */
export class Series {
    samples = [];

    add(time, value) {
        if (value !== null && Number.isFinite(value))
            this.samples.push([time, value]);
        while (this.samples.length > 0 && this.samples[0][0] < time - WINDOW_MS - GAP_MS)
            this.samples.shift();
    }
}

/** A line without axes: its height is the largest that it shows, its right end is now. What it says stands beside it;
 * where nothing ever happened, there is none. */
export class Chart {
    constructor(width, height) {
        this.width = width;
        this.height = height;
        this.area = draw("path", { class: "area" });
        this.line = draw("path", { class: "line" });
        this.element = draw("svg", {
            class: "chart", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true",
        });
        this.element.append(this.area, this.line);
    }

    show(series, now) {
        const foot = this.height - 1, top = 2;
        const most = series.samples.reduce((max, [, value]) => Math.max(max, value), 0);
        const width = Math.min(WINDOW_MS, Math.max(WINDOW_MIN_MS, now - LOADED_AT));
        let line = "", area = "", before = -Infinity;

        for (const [time, value] of most > 0 ? series.samples : []) {
            const y = foot - (value / most) * (foot - top);

            if (time - before > GAP_MS)
                area += before > -Infinity ? `V${foot}Z` : "";
            const x = this.width * (1 - (now - time) / width);
            const point = `${x.toFixed(1)} ${y.toFixed(1)}`;
            line += (time - before > GAP_MS ? "M" : "L") + point;
            area += (time - before > GAP_MS ? `M${x.toFixed(1)} ${foot}L` : "L") + point;
            before = time;
        }
        this.line.setAttribute("d", line);
        this.area.setAttribute("d", area && `${area}V${foot}Z`);
    }
}
