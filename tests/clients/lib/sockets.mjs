// A WebSocket of the protocol `graphql-transport-ws`, message by message.

import http from "node:http";
import { randomBytes } from "node:crypto";
import WebSocket from "ws";
import { within } from "./checks.mjs";
import { url, webSocketUrl } from "./server.mjs";

export class Socket {
  #messages = [];
  #waiting = [];

  static async open(protocols = ["graphql-transport-ws"]) {
    const socket = new Socket(new WebSocket(webSocketUrl, protocols));
    await within(5000, "the socket opens", new Promise((resolve, reject) => socket.raw.once("open", resolve).once("error", reject)));
    return socket;
  }

  /** A socket whose connection is acknowledged. */
  static async ready(payload) {
    const socket = await Socket.open();
    socket.send({ type: "connection_init", ...(payload === undefined ? {} : { payload }) });
    const ack = await socket.next();
    if (ack.type !== "connection_ack") throw new Error(`not an acknowledgement: ${JSON.stringify(ack)}`);
    return socket;
  }

  constructor(raw) {
    this.raw = raw;
    // Attached at once: a server may close before anybody waits for it.
    this.closed = new Promise((resolve) => raw.once("close", (code, reason) => resolve({ code, reason: String(reason) })));
    raw.on("message", (data) => {
      const message = JSON.parse(String(data));
      const waiting = this.#waiting.shift();
      if (waiting) waiting(message);
      else this.#messages.push(message);
    });
  }

  send(message) {
    this.raw.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  subscribe(id, query, more = {}) {
    this.send({ id, type: "subscribe", payload: { query, ...more } });
  }

  /** The next message. */
  async next(milliseconds = 5000) {
    if (this.#messages.length > 0) return this.#messages.shift();
    const message = new Promise((resolve) => this.#waiting.push(resolve));
    const closed = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason} instead of a message`);
    });
    return within(milliseconds, "a message", Promise.race([message, closed]));
  }

  /** Messages up to and with the first for which `last` holds. */
  async until(last, milliseconds = 5000) {
    const all = [];
    do all.push(await this.next(milliseconds));
    while (!last(all.at(-1)));
    return all;
  }

  /** Waits, and gives what came. */
  async quiet(milliseconds) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return this.#messages.splice(0);
  }

  /** The code with which the server closes. */
  async closes(milliseconds = 5000) {
    try {
      return (await within(milliseconds, "the server closes the socket", this.closed)).code;
    } finally {
      this.raw.terminate();
    }
  }

  close() {
    this.raw.close(1000);
  }
}

/** What a handshake with any subprotocol comes to: a status, or 101 and the code of a close frame. */
export function handshake(protocol) {
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64") };
  if (protocol) headers["sec-websocket-protocol"] = protocol;
  return within(5000, "an answer to the handshake", new Promise((resolve, reject) => {
    const request = http.get(url, { headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode });
    });
    request.on("error", reject);
    request.on("upgrade", (answer, stream, head) => {
      let bytes = head;
      const look = () => {
        if (bytes.length < 4 || bytes[0] !== 0x88) return;
        stream.destroy();
        resolve({ status: 101, protocol: answer.headers["sec-websocket-protocol"], code: bytes.readUInt16BE(2) });
      };
      stream.on("data", (more) => {
        bytes = Buffer.concat([bytes, more]);
        look();
      });
      stream.on("end", () => resolve({ status: 101 }));
      look();
    });
  }));
}
