/** How socket types look: a colour and a shape each, so that neither is needed alone. */

import type { SocketType } from "../graph/sockets";

export type Shape = "circle" | "square" | "diamond" | "triangle" | "ring";

const KNOWN: Readonly<Record<string, readonly [hue: string, shape: Shape]>> = {
  image: ["var(--type-image)", "circle"],
  mask: ["var(--type-mask)", "circle"],
  latent: ["var(--type-latent)", "circle"],
  noise: ["var(--type-noise)", "circle"],
  sigmas: ["var(--type-sigmas)", "circle"],
  model: ["var(--type-model)", "square"],
  text_encoder: ["var(--type-encoder)", "square"],
  vae: ["var(--type-vae)", "square"],
  sampler: ["var(--type-sampler)", "square"],
  guider: ["var(--type-guider)", "square"],
  conditioning: ["var(--type-conditioning)", "diamond"],
  int: ["var(--type-number)", "triangle"],
  float: ["var(--type-number)", "triangle"],
  text: ["var(--type-text)", "triangle"],
  bool: ["var(--type-bool)", "triangle"],
};

export interface Look {
  readonly colour: string;
  readonly shape: Shape;
  readonly many: boolean;
}

export function lookOf(type: SocketType): Look {
  switch (type.kind) {
    case "list":
      return { ...lookOf(type.item), many: true };
    case "optional":
      return lookOf(type.item);
    case "union":
      return type.options[0] ? lookOf(type.options[0]) : ANY;
    case "generic":
      return ANY;
    case "menu":
    case "choice":
    case "file":
    case "subgraph":
      return look("text");
    case "record":
      return look("record");
    default:
      return look(type.name);
  }
}

const ANY: Look = { colour: "var(--type-any)", shape: "ring", many: false };

/** A type of a pack gets a colour from its name: always the same one. */
function look(name: string): Look {
  const known = KNOWN[name];
  if (known) return { colour: known[0], shape: known[1], many: false };
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return { colour: `hsl(${hash} 60% 62%)`, shape: "square", many: false };
}

const CATEGORIES: Readonly<Record<string, string>> = {
  Image: "var(--type-image)",
  Mask: "var(--type-mask)",
  Latent: "var(--type-latent)",
  Load: "var(--type-model)",
  Model: "var(--type-model)",
  Text: "var(--type-encoder)",
  Conditioning: "var(--type-conditioning)",
  Sampling: "var(--type-sampler)",
  Logic: "var(--type-bool)",
  List: "var(--type-text)",
  Value: "var(--type-number)",
  Subgraph: "var(--primary)",
};

export function categoryColour(category: string): string {
  return CATEGORIES[category.split("/")[0] ?? ""] ?? "var(--muted)";
}
