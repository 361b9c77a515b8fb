/** A small catalogue, written as the server writes it. */

import { readCatalogue, type NodeTypeData } from "../src/graph/catalogue";
import type { Document } from "../src/graph/document";

const socket = (type: string) => ({ "x-socket": { type } });

function nodeType(id: string, inputs: NodeTypeData["inputs"], outputs: Record<string, unknown>): NodeTypeData {
  const title = id.replace(".", " ");
  const rest = { version: 1, pack: "test", output: false, deprecated: null, experimental: false };
  return { id, title, category: "Test", help: `Help of ${id}.`, inputs, outputs, ...rest };
}

const required = (schema: Record<string, unknown>) => ({ required: true, schema });
const optional = (schema: Record<string, unknown>) => ({ required: false, schema });

export const TYPES: NodeTypeData[] = [
  nodeType("load", { file: required({ type: "string", "x-socket": { type: "file", kind: "checkpoints" } }) }, {
    model: { type: "model" },
    encoder: { type: "text_encoder" },
    vae: { type: "vae" },
  }),
  nodeType("encode", {
    encoder: required(socket("text_encoder")),
    text: optional({ type: "string", multiline: true, default: "", ...socket("text") }),
  }, { conditioning: { type: "conditioning" } }),
  nodeType("sample", {
    model: required(socket("model")),
    positive: required(socket("conditioning")),
    seed: optional({ type: "integer", minimum: 0, maximum: 2 ** 64 - 1, default: 0, ...socket("int") }),
    steps: optional({ type: "integer", minimum: 1, maximum: 100, default: 20, ...socket("int") }),
    cfg: optional({ type: "number", minimum: 0, maximum: 100, default: 7, ...socket("float") }),
  }, { latent: { type: "latent" } }),
  nodeType("image.join", { images: optional({ type: "array", items: socket("image"), "x-growing": "list" }) }, {
    image: { type: "image" },
  }),
  nodeType("image.make", {}, { image: { type: "image" } }),
  nodeType("math.calculate", {
    values: optional({ type: "object", additionalProperties: socket("float"), "x-growing": "named" }),
  }, { value: { type: "float" } }),
  nodeType("logic.if", {
    then: required({ "x-socket": { type: "generic", name: "T" } }),
    otherwise: required({ "x-socket": { type: "generic", name: "T" } }),
  }, { value: { type: "generic", name: "T" } }),
];

export const CATALOGUE = readCatalogue(TYPES);
export const KNOWN = { catalogue: CATALOGUE, classes: {} };

export const DOCUMENT: Document = {
  nodegraph: 1,
  name: "small",
  nodes: {
    loader: { type: "load", inputs: { file: "tiny.safetensors" } },
    prompt: { type: "encode", inputs: { encoder: { from: "loader.encoder" }, text: "a circle" } },
    sample: { type: "sample", inputs: { model: { from: "loader.model" }, positive: { from: "prompt" }, seed: 7 } },
  },
  inputs: { prompt: { to: ["prompt.text"] } },
  outputs: { latent: { from: "sample" } },
  view: { nodes: { loader: { x: 0, y: 0 }, prompt: { x: 300, y: 0 }, sample: { x: 600, y: 0 } } },
};
