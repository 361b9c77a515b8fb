/** What a run would do, for nodes that stand for many: a subgraph does what the nodes inside do. */

interface Planned<A extends string> {
  readonly action: A;
  readonly reason: string;
}

/** What counts most of several. */
const ORDER = ["run", "maybe", "disk", "memory", "saved", "not needed"];

/** The plan with an entry for every subgraph, by the path of its node. */
export function withSubgraphs<A extends string, P extends Planned<A>>(plan: Readonly<Record<string, P>>): Record<string, P> {
  const all: Record<string, P> = { ...plan };
  for (const [path, one] of Object.entries(plan)) {
    const parts = path.split("/");
    for (let length = parts.length - 1; length > 0; length -= 1) {
      const around = parts.slice(0, length).join("/");
      if (Object.hasOwn(plan, around)) continue;
      const known = all[around];
      if (known === undefined || ORDER.indexOf(one.action) < ORDER.indexOf(known.action)) all[around] = one;
    }
  }
  return all;
}
