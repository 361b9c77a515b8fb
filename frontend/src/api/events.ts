/** Events of jobs: all of them over a WebSocket, and those of one job from its beginning. */

import { parseJson } from "../graph/json";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type JobEvent = Schemas["AnyEvent"];
export type Snapshot = Schemas["Snapshot"];
export type Message = JobEvent | Snapshot;

const PAUSES = [500, 1_000, 2_000, 5_000];

/** Listen to all jobs for as long as the page lives: a lost connection is made again. */
export function listen(take: (message: Message) => void, tell: (connected: boolean) => void): () => void {
  let socket: WebSocket | null = null;
  let failures = 0;
  let timer = 0;
  let over = false;

  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/api/v1/events`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      failures = 0;
      tell(true);
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
      take(typeof data === "string" ? (parseJson(data) as unknown as Message) : unpack(data));
    socket.onclose = () => {
      tell(false);
      if (over) return;
      timer = window.setTimeout(open, PAUSES[Math.min(failures, PAUSES.length - 1)]);
      failures += 1;
    };
  };
  open();
  return () => {
    over = true;
    window.clearTimeout(timer);
    socket?.close();
  };
}

/** A binary message: four bytes of length, a JSON object, a JPEG. */
function unpack(data: ArrayBuffer): JobEvent {
  const length = new DataView(data).getUint32(0);
  const header = parseJson(new TextDecoder().decode(new Uint8Array(data, 4, length))) as Record<string, unknown>;
  const picture = new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" });
  return { ...header, image: URL.createObjectURL(picture) } as unknown as JobEvent;
}

/** The events of one job from its beginning: what the page missed before it was loaded. */
export function replay(job: string, take: (event: JobEvent) => void, ended: () => void): void {
  const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(job)}/events`);
  const read = (message: MessageEvent<string>) => take(parseJson(message.data) as unknown as JobEvent);
  source.onmessage = read;
  for (const kind of KINDS) source.addEventListener(kind, read as EventListener);
  // The server ends the stream when the job is over; a browser would begin anew.
  source.onerror = () => {
    source.close();
    ended();
  };
}

const KINDS = ["state", "planned", "node_started", "progress", "preview", "node_finished", "saved", "node_failed"];
