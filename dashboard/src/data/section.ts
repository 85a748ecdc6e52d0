import type { Confusions, Curves, Samples } from './report';

// The binary container of a section: see decodeSection. Written by the coordinator, as gzip.

const types = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array };
type TypeName = keyof typeof types;
type Values = Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

export interface Section {
  meta: Record<string, unknown>;
  arrays: Record<string, Values>;
}

/**
 * uint32 length of the header; the header, JSON; zeros up to a multiple of 8; the data area, in which every array begins at
 * a multiple of 8. Little-endian, as every machine that runs a browser: arrays are views, nothing is copied.
 */
export function decodeSection(bytes: Uint8Array<ArrayBuffer>): Section {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as {
    meta: Record<string, unknown>;
    arrays: Record<string, { type: TypeName; offset: number; length: number }>;
  };
  const data = bytes.byteOffset + Math.ceil((4 + length) / 8) * 8;
  const arrays: Record<string, Values> = {};
  for (const [name, { type, offset, length: elements }] of Object.entries(header.arrays)) {
    arrays[name] = new types[type](bytes.buffer, data + offset, elements);
  }
  return { meta: header.meta, arrays };
}

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function take<T extends Values>(section: Section, name: string, type: new (length: number) => T): T {
  const array = section.arrays[name];
  if (!(array instanceof type)) throw new Error(`the section's array "${name}" is missing or of another type`);
  return array;
}

/**
 * A section names cells and jobs by their position in the report. While a sweep runs, the report may have been made at
 * another moment, in another order: with `"by": "id"` in its meta the section names them by id, and this turns ids into
 * positions; -1: not in this report.
 */
function positions(section: Section, array: Int32Array, ids: readonly number[]): Int32Array {
  if (section.meta.by !== 'id') return array;
  const position = new Map<number, number>();
  ids.forEach((id, i) => position.set(id, i));
  return array.map((id) => position.get(id) ?? -1);
}

export function asCurves(section: Section, jobs: readonly number[]): Curves {
  const metrics = section.meta.metrics as string[];
  const values: Record<string, Float32Array> = {};
  for (const metric of metrics) values[metric] = take(section, metric, Float32Array);
  return {
    metrics,
    job: positions(section, take(section, 'job', Int32Array), jobs),
    start: take(section, 'start', Int32Array),
    epoch: take(section, 'epoch', Int32Array),
    values,
  };
}

export function asConfusions(section: Section, cells: readonly number[]): Confusions {
  return {
    cells: positions(section, take(section, 'cells', Int32Array), cells),
    start: take(section, 'start', Int32Array),
    actual: take(section, 'actual', Uint16Array),
    predicted: take(section, 'predicted', Uint16Array),
    count: take(section, 'count', Uint32Array),
  };
}

export function asSamples(section: Section, jobs: readonly number[]): Samples {
  return {
    height: Number(section.meta.height),
    width: Number(section.meta.width),
    image: take(section, 'image', Int32Array),
    actual: take(section, 'actual', Uint16Array),
    pixels: take(section, 'pixels', Uint8Array),
    jobs: positions(section, take(section, 'jobs', Int32Array), jobs),
    predicted: take(section, 'predicted', Uint16Array),
    confidence: take(section, 'confidence', Float32Array),
  };
}
