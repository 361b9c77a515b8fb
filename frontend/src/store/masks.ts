/** Masks of pictures: transparent is where a picture may change, as the nodes that load pictures read it. */

import { upload } from "../api/calls";
import type { Port } from "../graph/document";
import { setInput } from "../graph/edits";
import { filtered, readPng, unfiltered, writePng, type Pixels } from "../graph/png";
import { tellError } from "./errors";
import { pictureUrl } from "./pictures";
import { refreshVocabulary } from "./server";
import { useUi } from "./ui";
import { shownNow, useWorkspace } from "./workspace";

export function paintMask(port: Port, file: string): void {
  useUi.setState({ painting: { port, file } });
}

/** The pixels of a picture that nodes can load. */
export async function loadPixels(file: string): Promise<Pixels> {
  const answer = await fetch(pictureUrl(file));
  if (!answer.ok) throw new Error(file);
  const blob = await answer.blob();
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const packed = readPng(bytes);
  if (packed !== null) return unfiltered(packed, await through(packed.data, new DecompressionStream("deflate")));
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context?.drawImage(bitmap, 0, 0);
  const data = context?.getImageData(0, 0, bitmap.width, bitmap.height).data;
  return { width: bitmap.width, height: bitmap.height, rgba: new Uint8Array(data ?? []) };
}

/** Save a picture with a mask (255: change here), and have its node load it. Whether that worked. */
export async function saveMask({ port, file }: { port: Port; file: string }, { width, height, rgba }: Pixels, mask: Uint8Array): Promise<boolean> {
  const shown = shownNow();
  const masked = rgba.slice();
  for (let at = 0; at < mask.length; at += 1) masked[at * 4 + 3] = 255 - (mask[at] ?? 0);
  const deflated = await through(filtered({ width, height, rgba: masked }), new CompressionStream("deflate"));
  const name = (file.split("/").at(-1) ?? file).replace(/\.\w+$/, "");
  try {
    const kept = await upload(new File([writePng(width, height, deflated)], `${name} mask.png`, { type: "image/png" }));
    await refreshVocabulary();
    useWorkspace.getState().edit((document) => setInput(document, port, kept.use_as), undefined, shown);
    return true;
  } catch (error) {
    tellError(error);
    return false;
  }
}

async function through(bytes: Uint8Array, stream: GenericTransformStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array<ArrayBuffer>>);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
