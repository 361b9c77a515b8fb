/** What a run did so far, node by node, told by the events of its job. */

export type Outcome = "ran" | "memory" | "disk" | "shared" | "saved" | "failed" | "skipped" | "cancelled";

export interface NodeRun {
  readonly state: "running" | Outcome;
  readonly done?: number;
  readonly total?: number;
  readonly seconds?: number;
  /** The part of the seconds in which weights were loaded. */
  readonly loading?: number;
  /** The bytes of its result. */
  readonly size?: number;
  /** The most bytes that the device held at once while it ran. */
  readonly peak?: number;
  /** An unfinished picture, or one that the node shows. */
  readonly preview?: string;
  readonly problem?: string;
  /** Whether events told of it itself, and not only of nodes inside it. */
  readonly own?: boolean;
}

export interface SavedFile {
  readonly node: string;
  readonly path: string;
  readonly mediaType: string;
}

export interface Run {
  readonly job: string;
  readonly seq: number;
  readonly nodes: Readonly<Record<string, NodeRun>>;
  readonly saved: readonly SavedFile[];
  /** How many nodes run or are reused, once that is planned. */
  readonly total: number;
}

/** The part of an event that matters here. */
export interface RunEvent {
  readonly kind: string;
  readonly seq: number;
  readonly node?: string;
  readonly done?: number;
  readonly total?: number;
  readonly image?: string;
  readonly final?: boolean;
  readonly outcome?: Outcome;
  readonly seconds?: number;
  readonly loading?: number;
  readonly size?: number;
  readonly peak?: number;
  readonly path?: string;
  readonly media_type?: string;
  readonly problem?: { readonly message: string };
  readonly to_run?: number;
  readonly reused?: number;
}

export function beginRun(job: string): Run {
  return { job, seq: 0, nodes: {}, saved: [], total: 0 };
}

/** The run after an event. Events may come twice, over the socket and the replay: that changes nothing. */
export function follow(run: Run, event: RunEvent): Run {
  const fleeting = event.kind === "progress" || event.kind === "preview";
  if (!fleeting && event.seq <= run.seq) return run;
  const next = fleeting ? run : { ...run, seq: event.seq };
  switch (event.kind) {
    case "planned":
      return { ...next, nodes: {}, saved: [], total: (event.to_run ?? 0) + (event.reused ?? 0) };
    case "node_started":
      return withNode(next, event, () => ({ state: "running", own: true }));
    case "progress":
      // A late one must not bring a finished node back to life.
      return withNode(next, event, (node) =>
        node && node.state !== "running"
          ? node
          : { ...node, own: true, state: "running", done: event.done ?? 0, total: event.total ?? 0 },
      );
    case "preview":
      return withNode(next, event, (node) => ({ state: "running", ...node, ...(event.image ? { preview: event.image } : {}) }));
    case "node_finished":
      return withNode(next, event, (node) => ({
        ...(node?.preview !== undefined ? { preview: node.preview } : {}),
        ...(node?.problem !== undefined ? { problem: node.problem } : {}),
        own: true,
        state: event.outcome ?? "ran",
        seconds: event.seconds ?? 0,
        ...(event.loading ? { loading: event.loading } : {}),
        ...(event.size ? { size: event.size } : {}),
        ...(event.peak ? { peak: event.peak } : {}),
      }));
    case "node_failed":
      return withNode(next, event, (node) => ({ ...(node?.own ? { own: true } : {}), state: "failed", problem: event.problem?.message ?? "" }));
    case "saved": {
      const file = { node: event.node ?? "", path: event.path ?? "", mediaType: event.media_type ?? "" };
      const known = next.saved.some(({ node, path }) => node === file.node && path === file.path);
      return known ? next : { ...next, saved: [...next.saved, file] };
    }
    default:
      return next;
  }
}

function withNode(run: Run, event: RunEvent, change: (node: NodeRun | undefined) => NodeRun): Run {
  const path = plainPath(event.node ?? "");
  const nodes = { ...run.nodes };
  let isSame = put(nodes, path, change(nodes[path]));
  // Of what happens inside a loop or a subgraph, pictures and problems show at the nodes around it too.
  if (event.kind === "preview" || event.kind === "node_failed") {
    for (const around of ancestors(path)) isSame = put(nodes, around, change(nodes[around])) && isSame;
  }
  return isSame ? run : { ...run, nodes };
}

function put(nodes: Record<string, NodeRun>, path: string, after: NodeRun): boolean {
  if (nodes[path] === after) return true;
  nodes[path] = after;
  return false;
}

/** A path without the numbers of iterations: "loop/3/sample" is shown at "loop/sample". */
export function plainPath(path: string): string {
  return path.includes("/") ? path.split("/").filter((part) => !/^\d+$/.test(part)).join("/") : path;
}

/** The paths of the nodes around a node, from the outside in. */
function ancestors(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** What a run did with a node; with a subgraph, what it did with the nodes inside. */
export function runAt(run: Run, path: string, isSubgraph: boolean): NodeRun | undefined {
  const own = run.nodes[path];
  if (!isSubgraph) return own;
  const inner = Object.entries(run.nodes).filter(([one]) => one.startsWith(`${path}/`)).map(([, node]) => node);
  if (inner.length === 0) return own;
  const seen = { ...(own?.preview !== undefined ? { preview: own.preview } : {}), ...(own?.problem !== undefined ? { problem: own.problem } : {}) };
  const running = inner.find(({ state }) => state === "running");
  if (running) return { ...running, ...seen, state: "running" };
  const state = FIRST.find((one) => inner.some((node) => node.state === one)) ?? "memory";
  const total = (of: (node: NodeRun) => number | undefined) => inner.reduce((sum, node) => sum + (of(node) ?? 0), 0);
  const peak = Math.max(...inner.map((node) => node.peak ?? 0));
  const size = total((node) => node.size);
  return { ...seen, state, seconds: total((node) => node.seconds), ...(size ? { size } : {}), ...(peak ? { peak } : {}) };
}

const FIRST = ["failed", "cancelled", "skipped", "ran", "disk", "memory", "shared", "saved"] as const;

/** How far a run is, from 0 to 1: nodes that are done, and the steps of those that run. */
export function progressOf(run: Run): number {
  if (run.total === 0) return 0;
  // Iterations inside a loop count as the loop does.
  const isInside = (path: string) => ancestors(path).some((around) => run.nodes[around]?.own);
  const parts = Object.entries(run.nodes).map(([path, node]) => {
    if (node.own !== true || isInside(path)) return 0;
    return node.state !== "running" ? 1 : node.total ? (node.done ?? 0) / node.total : 0;
  });
  return Math.min(1, parts.reduce((sum, part) => sum + part, 0) / run.total);
}
