import { decodeBase64 } from './base64';
import type { Confusions, Curves, Report, Samples, SweepList } from './report';
import { asConfusions, asCurves, asSamples, decodeSection, gunzip, type Section } from './section';

// Where data come from: elements of this page (a report), or the coordinator that served the page (the live view).

export type SectionName = 'curves' | 'confusions' | 'samples';
export interface Sections {
  curves: Curves;
  confusions: Confusions;
  samples: Samples;
}

/** The server wants to know who asks. */
export class SignInNeeded extends Error {}

const cached = new Map<SectionName, Promise<Section | null>>();

export function embeddedReport(): Report | null {
  const element = document.getElementById('gridsweep-report');
  if (!element) return null;
  const report = JSON.parse(element.textContent) as Report;
  element.remove();
  return report;
}

/** Whether the report brings the section along. */
export function hasEmbedded(name: SectionName): boolean {
  return cached.has(name) || document.getElementById(`gridsweep-${name}`) !== null;
}

/** Characters of the sections that the report brings along and that have not been asked for. */
export function embeddedSize(): number {
  let size = 0;
  for (const element of document.querySelectorAll('script[type="application/gzip"]')) size += element.textContent.length;
  return size;
}

async function embeddedSection(name: SectionName): Promise<Section | null> {
  const element = document.getElementById(`gridsweep-${name}`);
  if (!element) return null;
  const bytes = decodeBase64(element.textContent.trim());
  element.remove(); // its text is not needed twice
  return decodeSection(await gunzip(bytes));
}

async function get(path: string): Promise<Response | null> {
  const response = await fetch(`api/v1/${path}`, { headers: { 'cache-control': 'no-cache' } });
  if (response.status === 401) throw new SignInNeeded();
  if (response.status === 404) return null;
  if (!response.ok) {
    const text = (await response.text()).slice(0, 300);
    throw new Error(`the coordinator answers ${response.status} ${response.statusText}${text ? `: ${text}` : ''}`);
  }
  return response;
}

export async function fetchSweeps(): Promise<SweepList> {
  return ((await (await get('sweeps'))?.json()) as SweepList | undefined) ?? { sweeps: [] };
}

export async function fetchReport(sweep: number): Promise<Report | null> {
  return ((await (await get(`sweeps/${sweep}/report`))?.json()) as Report | undefined) ?? null;
}

async function fetchSection(sweep: number, name: SectionName): Promise<Section | null> {
  const response = await get(`sweeps/${sweep}/${name}`);
  if (!response) return null;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length === 0) return null;
  // A proxy may have unpacked it on the way.
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return decodeSection(packed ? await gunzip(bytes) : bytes);
}

/** Null: there is none. `sweep` is null in a report, whose sections never change. */
export async function loadSection<N extends SectionName>(
  name: N,
  sweep: number | null,
  report: Report,
): Promise<Sections[N] | null> {
  let loading: Promise<Section | null>;
  if (sweep === null) {
    loading = cached.get(name) ?? embeddedSection(name);
    cached.set(name, loading);
  } else {
    loading = fetchSection(sweep, name);
  }
  const section = await loading;
  if (!section) return null;
  const decoded: Sections = {
    get curves() {
      return asCurves(section, report.jobs.job);
    },
    get confusions() {
      return asConfusions(section, report.cells.cell);
    },
    get samples() {
      return asSamples(section, report.jobs.job);
    },
  };
  return decoded[name];
}

export async function signIn(token: string): Promise<boolean> {
  const response = await fetch('api/v1/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return response.ok;
}
