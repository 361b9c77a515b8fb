/** PNG files by their bytes: a canvas forgets the colours of what is transparent, and a mask must not.

Only what the editor needs: 8 bits per channel, RGB or RGBA, not interlaced (PNG specification, third edition).
Compression is the caller's: the browser has it as a stream.
*/

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Four bytes for each pixel, colours not multiplied by alpha. */
  readonly rgba: Uint8Array;
}

interface Packed {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** Rows, each after its filter, deflated. */
  readonly data: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Where these are, a picture looks other than its plain bytes say: it is turned, or has a colour that is transparent. */
const SPECIAL: ReadonlySet<string> = new Set(["eXIf", "tRNS"]);

/** The parts of a PNG file, or null where it is another file or another kind of PNG. */
export function readPng(bytes: Uint8Array): Packed | null {
  if (bytes.length < 33 || SIGNATURE.some((byte, index) => bytes[index] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (SPECIAL.has(kind)) return null;
    if (kind === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const [depth, colour, , , interlaced] = bytes.subarray(24, 29);
  if (depth !== 8 || (colour !== 2 && colour !== 6) || interlaced !== 0) return null;
  return { width: view.getUint32(16), height: view.getUint32(20), channels: colour === 6 ? 4 : 3, data: joined(parts) };
}

/** Pixels from inflated rows. */
export function unfiltered({ width, height, channels }: Packed, rows: Uint8Array): Pixels {
  const stride = width * channels;
  const rgba = new Uint8Array(width * height * 4).fill(255);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    const row = rows.slice(start + 1, start + 1 + stride);
    restore(row, above, rows[start] ?? 0, channels);
    for (let x = 0; x < width; x += 1) {
      for (let channel = 0; channel < channels; channel += 1) rgba[(y * width + x) * 4 + channel] = row[x * channels + channel] ?? 0;
    }
    above = row;
  }
  return { width, height, rgba };
}

/** Undo the filter of a row, in place: none, left, above, their mean, or Paeth's choice. */
function restore(row: Uint8Array, above: Uint8Array, filter: number, channels: number): void {
  for (let at = 0; at < row.length; at += 1) {
    const a = at >= channels ? (row[at - channels] ?? 0) : 0;
    const b = above[at] ?? 0;
    const c = at >= channels ? (above[at - channels] ?? 0) : 0;
    const guess = [0, a, b, (a + b) >> 1, filter === 4 ? paeth(a, b, c) : 0][filter] ?? 0;
    row[at] = ((row[at] ?? 0) + guess) & 255;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

/** Rows as they are deflated: each pixel less the one above. */
export function filtered({ width, height, rgba }: Pixels): Uint8Array<ArrayBuffer> {
  const stride = width * 4;
  const rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    rows[start] = 2;
    for (let at = 0; at < stride; at += 1) {
      const above = y > 0 ? (rgba[(y - 1) * stride + at] ?? 0) : 0;
      rows[start + 1 + at] = ((rgba[y * stride + at] ?? 0) - above) & 255;
    }
  }
  return rows;
}

/** A PNG file from deflated rows of RGBA. */
export function writePng(width: number, height: number, deflated: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6, 0, 0, 0], 8);
  return joined([Uint8Array.from(SIGNATURE), chunk("IHDR", header), chunk("IDAT", deflated), chunk("IEND", new Uint8Array())]);
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(Uint8Array.from(kind, (letter) => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc(bytes.subarray(4, data.length + 8)));
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
