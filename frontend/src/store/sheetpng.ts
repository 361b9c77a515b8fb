/** A contact sheet as one PNG, drawn in the browser. */

import type { Job } from "../api/calls";
import type { Sheet } from "../graph/sweep";
import { picturesOf } from "./pictures";

const GAP = 10;
const LINE = 22;
const SIDE = 150;
const LARGEST = 512;
/** What browsers draw at most along a side. */
const CANVAS = 16_000;

export async function savePng(sheet: Sheet<Job>, title: string): Promise<void> {
  const pictures = new Map(
    await Promise.all(sheet.rows.flatMap(({ cells }) => cells.map(async ({ job }) => [job.id, await pictureOf(job)] as const))),
  );
  const canvas = draw(sheet, pictures);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob === null) throw new Error("the sheet is too large to be drawn");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${title || "sweep"}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function pictureOf(job: Job): Promise<ImageBitmap | null> {
  const url = picturesOf(job)[0]?.url;
  return url === undefined ? null : createImageBitmap(await (await fetch(url)).blob());
}

function draw({ columns, rows }: Sheet<Job>, pictures: ReadonlyMap<string, ImageBitmap | null>): HTMLCanvasElement {
  const found = [...pictures.values()].filter((one) => one !== null);
  const across = Math.max(1, ...rows.map(({ cells }) => cells.length));
  const isTable = columns.length > 0;
  const room = Math.floor((CANVAS - SIDE) / Math.max(across, rows.length)) - GAP - LINE;
  const largest = Math.max(1, ...found.map(({ width, height }) => Math.max(width, height)));
  const scale = Math.min(1, LARGEST / largest, room / largest);
  const width = Math.max(64, ...found.map((one) => one.width * scale));
  const height = Math.max(64, ...found.map((one) => one.height * scale));
  const left = GAP + (isTable ? SIDE : 0);
  const top = GAP + (isTable ? LINE : 0);
  const below = isTable ? 0 : LINE;
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(left + across * (width + GAP));
  canvas.height = Math.ceil(top + rows.length * (height + below + GAP));
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser cannot draw");
  const style = getComputedStyle(document.documentElement);
  context.fillStyle = style.getPropertyValue("--page");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.getPropertyValue("--text");
  context.font = `13px ${style.getPropertyValue("--font")}`;
  context.textBaseline = "middle";
  columns.forEach((label, column) => context.fillText(label, left + column * (width + GAP), GAP + LINE / 2 - 4, width));
  rows.forEach(({ label, cells }, row) => {
    const y = top + row * (height + below + GAP);
    if (label) context.fillText(label, GAP, y + height / 2, SIDE - GAP);
    cells.forEach((cell, column) => {
      const x = left + column * (width + GAP);
      const picture = pictures.get(cell.job.id);
      if (picture) context.drawImage(picture, x, y, picture.width * scale, picture.height * scale);
      if (cell.label) context.fillText(cell.label, x, y + height + LINE / 2, width);
    });
  });
  return canvas;
}
