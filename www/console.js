// The console: follows /events, reads /metrics, /routes, /sockets and /version, and says what of these it may not see.
// All addresses are relative, so that it works below a prefix; and what is not beside it is looked for where it is in
// the configuration that comes with berth.

import { addEvent, addMark, startEvents } from "./console-events.js";
import { showFigures, showRoutes, forgetFigures } from "./console-figures.js";
import { clock, find, make, say, span } from "./console-draw.js";

const FIGURES_MS = 1000;
const LIST_MS = 10000; // routes, sockets, version: what changes rarely, and what may not be seen
const ANSWER_MS = 5000;
const RETRY_MS = 1000; // the first pause; the longest:
const RETRY_MAX_MS = 8000;
const STATUS_BASES = ["", "status/", "../", "../status/"];
const EVENTS_BASES = ["", "../"];
const PAST_S = 24 * 3600; // of events, at the beginning

// ---- is the server there? ----

const lost = new Set(); // who found that it is not
let lostAt = null, backText = "";

function showLink() {
    const state = lost.size > 0 ? "lost" : "live";

    if (state === "lost" && lostAt === null) {
        lostAt = new Date();
        addMark("lost", `connection lost at ${clock(lostAt)}`);
    }
    if (state === "live" && lostAt !== null) {
        const now = new Date();

        backText = `back since ${clock(now)}, after ${span(Math.max(1, (now - lostAt) / 1000))}`;
        addMark("back", `back at ${clock(now)}`);
        lostAt = null;
        runAll(); // another may be back than went away
    }
    find("link").dataset.state = state;
    say(find("link-text"), state === "lost" ? `Connection lost at ${clock(lostAt)}. Trying again…` :
        backText ? `Live, ${backText}` : "Live");
    document.body.classList.toggle("stale", state === "lost");
}

function found(who, there) {
    if (there)
        lost.delete(who);
    else
        lost.add(who);
    showLink();
}

// ---- what may be seen ----

const openings = { metrics: "GET /metrics", routes: "GET /routes", sockets: "GET *", events: "GET /" };

/** Says, where a part would stand, why it does not. */
function notice(part, status) {
    const element = document.querySelector(`.notice[data-for="${part}"]`);

    element.hidden = status === 200;
    for (const needy of document.querySelectorAll(`[data-needs="${part}"]`))
        needy.hidden = status !== 200;
    if (status === 403)
        element.replaceChildren(
            make("strong", {}, `You may not see /${part} (403). `),
            part === "events" ? "A rule of its application keeps you out. " :
                "It is for the server's own user and root, and for nobody behind a proxy, until a rule opens it: ",
            make("code", {}, `allow = ${openings[part]} user:NAME`), " among the settings of its application, or ",
            make("code", {}, "proxied"), " in the place of ", make("code", {}, "user:NAME"),
            " for all who come through a trusted proxy. An application with any rule refuses what no rule allows.");
    else if (status === 404)
        element.replaceChildren(make("strong", {}, `/${part} is not served here (404).`));
    else if (status !== 200)
        element.replaceChildren(make("strong", {}, `/${part} is answered with ${status}.`));
}

/** The status of an answer, with it; 0 for none, and for a proxy's word that the server is away. */
async function ask(path, method = "GET") {
    try {
        const reply = await fetch(path, { method, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });

        return { status: [502, 503, 504].includes(reply.status) ? 0 : reply.status, reply };
    } catch {
        return { status: 0 };
    }
}

/** Where something is: the first of the bases that does not answer 404, with what it answers. */
async function locate(bases, path) {
    let answer;

    for (const base of bases) {
        answer = { base, ...await ask(base + path, "HEAD") };
        if (answer.status !== 404)
            break;
    }
    return answer;
}

// ---- figures and lists ----

/** Asks again and again while the page can be seen; `take` says after how long. */
class Poll {
    constructor(path, take) {
        this.path = path;
        this.take = take;
        this.timer = null;
        this.asking = false;
    }

    async run() {
        clearTimeout(this.timer);
        if (this.asking || document.hidden)
            return;
        this.asking = true;
        let pause = LIST_MS;
        try {
            const { status, reply } = await ask(this.path);

            found(this, status !== 0);
            pause = status === 0 ? RETRY_MS : await this.take(status, reply);
        } catch {
            found(this, false); // cut in the middle
            pause = RETRY_MS;
        } finally {
            this.asking = false;
            this.timer = setTimeout(() => this.run(), pause);
        }
    }
}

async function takeMetrics(status, reply) {
    notice("metrics", status);
    if (status !== 200) {
        forgetFigures();
        return LIST_MS;
    }
    showFigures(await reply.text());
    return FIGURES_MS;
}

let sockets = null;

async function takeRoutes(status, reply) {
    notice("routes", status);
    const applications = status === 200 ? (await reply.json()).applications : null;
    const paths = applications?.flatMap((application) => application.routes.map((route) => route.path));

    showRoutes(applications);
    // Asked for only where it may be there: a browser shows each 404 among its errors.
    if (!sockets && (!paths || paths.some((path) => /\/sockets\/?$/.test(path)))) {
        sockets = new Poll(`${base}sockets`, takeSockets);
        polls.push(sockets);
        sockets.run();
    }
    return LIST_MS;
}

let began = null;

async function takeVersion(status, reply) {
    if (status !== 200)
        return LIST_MS;
    const version = await reply.json(), started = new Date(version.started);

    if (began && version.started !== began)
        addMark("back", `the server was started anew at ${clock(started)}`);
    began = version.started;
    say(find("about"), `${version.version}, up ${span(Math.max(0, (Date.now() - started) / 1000))}`);
    const libraries = Object.entries(version.libraries ?? {}).map((pair) => pair.join(" "));
    find("about").title = [version.kernel, ...libraries].join(", ");
    return LIST_MS;
}

const plain = (value) => value === null || value === undefined ? "" :
    typeof value === "object" ? JSON.stringify(value) : String(value);

async function takeSockets(status, reply) {
    find("sockets").hidden = status === 404;
    notice("sockets", status);
    if (status !== 200)
        return status === 404 ? 6 * LIST_MS : LIST_MS;
    const body = await reply.json(), rows = Array.isArray(body) ? body : body.sockets ?? [];
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 8);

    say(find("sockets-count"), String(rows.length));
    find("sockets-table").replaceChildren(
        make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, ...rows.slice(0, 500).map((row) =>
            make("tr", {}, ...columns.map((name) => make("td", {}, plain(row[name])))))));
    return LIST_MS;
}

// ---- events ----

let last = null, begin = null, source = null, pause = RETRY_MS, eventsBases = EVENTS_BASES;

/** Whether they may be read, and what time it is there: an EventSource tells neither. */
async function askForEvents() {
    const { base, status, reply } = await locate(eventsBases, "events");

    if (status === 0) {
        found("events", false);
        setTimeout(askForEvents, pause);
        pause = Math.min(2 * pause, RETRY_MAX_MS);
        return;
    }
    notice("events", status);
    if (status !== 200) {
        found("events", true);
        setTimeout(askForEvents, LIST_MS);
        return;
    }
    eventsBases = [base];
    begin ??= Math.max(0, Math.floor((Date.parse(reply.headers.get("Date")) || Date.now()) / 1000) - PAST_S);
    follow();
}

/** A browser comes back by itself, with the number it saw last, where the connection was cut; but where a proxy answers
 * for a server that is away, it gives up: then another begins there. */
function follow() {
    source = new EventSource(`${eventsBases[0]}events?${last === null ? `since=${begin}` : `since_id=${last}`}`);
    source.onopen = () => {
        pause = RETRY_MS;
        found("events", true);
    };
    source.onmessage = (message) => {
        last = addEvent(message.data) ?? last;
    };
    source.onerror = () => {
        found("events", false);
        if (source.readyState !== EventSource.CLOSED)
            return;
        setTimeout(askForEvents, pause);
        pause = Math.min(2 * pause, RETRY_MAX_MS);
    };
}

// ---- the beginning ----

const polls = [];
let base = "";

function runAll() {
    for (const poll of polls)
        poll.run();
}

async function startPolls() {
    const answer = await locate(STATUS_BASES, "version");

    found("version", answer.status !== 0);
    if (answer.status === 0) {
        setTimeout(startPolls, RETRY_MS);
        return;
    }
    base = answer.base;
    polls.push(new Poll(`${base}version`, takeVersion), new Poll(`${base}metrics`, takeMetrics),
        new Poll(`${base}routes`, takeRoutes));
    runAll();
}

document.addEventListener("visibilitychange", runAll);
startEvents();
askForEvents();
startPolls();
