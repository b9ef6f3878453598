// Server-sent events, read as the standard says.

import { within } from "./checks.mjs";

export class EventStream {
  #reader;
  #decoder = new TextDecoder();
  #text = "";
  #events = [];
  #waiting;

  /** `answer` is what fetch gives; `abort` ends it. */
  constructor(answer, abort) {
    this.answer = answer;
    this.abort = () => abort.abort();
    this.#reader = answer.body.getReader();
    this.comments = 0;
  }

  static async open(url, options = {}) {
    const abort = new AbortController();
    const answer = await fetch(url, { ...options, headers: { accept: "text/event-stream", ...options.headers }, signal: abort.signal });
    return new EventStream(answer, abort);
  }

  /** The next event, `{event, data}` with data as text; undefined at the end. */
  async next(milliseconds = 5000) {
    // Whoever waited in vain leaves the event to the next one who asks.
    this.#waiting ??= this.#read().finally(() => (this.#waiting = undefined));
    return within(milliseconds, "an event", this.#waiting);
  }

  /** All events up to the end. */
  async rest(milliseconds = 5000) {
    const all = [];
    for (let event = await this.next(milliseconds); event; event = await this.next(milliseconds)) all.push(event);
    return all;
  }

  /** Whether nothing comes for so long; comments do not count. */
  async isQuiet(milliseconds) {
    try {
      await this.next(milliseconds);
      return false;
    } catch {
      return true;
    }
  }

  async #read() {
    while (this.#events.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true }).replace(/\r\n?/g, "\n");
      for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
        const event = this.#event(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
        if (event) this.#events.push(event);
      }
    }
    return this.#events.shift();
  }

  #event(block) {
    const fields = block.split("\n").filter(Boolean).map((line) => line.match(/^([^:]*):? ?(.*)$/).slice(1));
    this.comments += fields.filter(([name]) => name === "").length;
    const named = fields.filter(([name]) => name !== "");
    if (named.length === 0) return undefined;
    const values = (wanted) => named.filter(([name]) => name === wanted).map(([, value]) => value);
    return { event: values("event").at(-1) ?? "message", data: values("data").length > 0 ? values("data").join("\n") : undefined };
  }
}
