import { describe, expect, it } from 'vitest';
import { intervalsOf, levelsWithin } from '../../src/charts/parallel';
import { band, curveOfJob } from '../../src/data/bands';
import { accuracy, matrixOf, mostConfused, shareAt } from '../../src/data/confusion';
import { asMask, frontier, spentBy } from '../../src/data/cost';
import { byReason } from '../../src/data/failures';
import { clearPatch, levelsPatch, parseFilter, rangesPatch, visibleCells } from '../../src/data/filter';
import { gather } from '../../src/data/heatmap';
import { cellLabel, jobRanges } from '../../src/data/labels';
import { rankColumns, sortCells } from '../../src/data/ranking';
import { orderedSamples } from '../../src/data/samples';
import { asConfusions, asCurves, asSamples, decodeSection, gunzip } from '../../src/data/section';
import { decodeBase64 } from '../../src/data/base64';
import { ticks } from '../../src/data/ticks';
import { encodeSection, pack } from '../fixtures/container';
import { make } from '../fixtures/make';

const { report, sections } = make({ cells: 200 });
const everything = Int32Array.from(report.cells.cell.keys());
const bytes = (array: Uint8Array) => new Uint8Array(array);

describe('sections', () => {
  it('come back as they were written', async () => {
    const written = encodeSection(
      { metrics: ['a'] },
      { job: Int32Array.of(1, -2), pixels: Uint8Array.of(1, 2, 3), a: Float32Array.of(0.5, NaN) },
    );
    const section = decodeSection(await gunzip(bytes(pack(written))));
    expect(section.meta).toEqual({ metrics: ['a'] });
    expect([...section.arrays.job!]).toEqual([1, -2]);
    expect([...section.arrays.pixels!]).toEqual([1, 2, 3]);
    expect([...section.arrays.a!]).toEqual([0.5, NaN]);
  });
  it('may begin anywhere in a buffer', () => {
    const written = encodeSection({}, { a: Float32Array.of(1.5) });
    const moved = new Uint8Array(written.length + 8);
    moved.set(written, 8);
    expect([...decodeSection(moved.subarray(8)).arrays.a!]).toEqual([1.5]);
  });
  it('name jobs and cells by id where they say so', () => {
    const section = decodeSection(
      bytes(
        encodeSection(
          { by: 'id' },
          {
            cells: Int32Array.of(7, 5, 9),
            start: Int32Array.of(0, 0, 0, 0),
            actual: new Uint16Array(),
            predicted: new Uint16Array(),
            count: new Uint32Array(),
          },
        ),
      ),
    );
    expect([...asConfusions(section, [5, 7]).cells]).toEqual([1, 0, -1]);
  });
  it('say what is missing', () => {
    expect(() => asSamples(decodeSection(bytes(encodeSection({}, {}))), [])).toThrow('"image" is missing');
  });
  it('are base64 in a report', () => {
    expect([...decodeBase64(Buffer.from([0, 255, 31, 139]).toString('base64'))]).toEqual([0, 255, 31, 139]);
  });
});

describe('filter', () => {
  it('keeps levels, ranges, words and results', () => {
    const of = (params: Record<string, string>) => visibleCells(report, parseFilter(params, report)).length;
    expect(of({})).toBe(200);
    expect(of({ 'f.optimizer': '3' })).toBe(40);
    expect(of({ 'f.optimizer': '3.0', 'f.model': '1' })).toBe(40);
    expect(of({ q: 'CNN dropout' })).toBe(25);
    expect(of({ results: '1' })).toBe(report.cells.mean.filter((mean) => mean !== null).length);
    expect(of({ 'r.mean': '0.85~1' })).toBe(report.cells.mean.filter((mean) => mean !== null && mean >= 0.85).length);
  });
  it('ignores what makes no sense', () => {
    expect(
      visibleCells(report, parseFilter({ 'f.optimizer': '99.x', 'r.mean': 'a~b', 'r.nothing': '1~2', 'f.nothing': '1' }, report))
        .length,
    ).toBe(200);
  });
  it('goes into the address and out of it', () => {
    const axis = report.axes.findIndex(({ name }) => name === 'optimizer');
    const patch = levelsPatch(report, axis, new Set([3, 1]));
    expect(patch).toEqual({ 'f.optimizer': '1.3' });
    expect(parseFilter(patch as Record<string, string>, report).levels.get(axis)).toEqual(new Set([1, 3]));
    expect(levelsPatch(report, axis, new Set(report.axes[axis]!.levels.keys()))).toEqual({ 'f.optimizer': undefined });
    expect(rangesPatch('mean', [[0.81234567, 0.9]])).toEqual({ 'r.mean': '0.812346~0.9' });
    expect(clearPatch({ 'f.model': '1', 'r.mean': '0~1', pins: '3' })).toEqual({
      'f.model': undefined,
      'r.mean': undefined,
      results: undefined,
      q: undefined,
    });
  });
});

describe('ranking', () => {
  const columns = rankColumns(report);
  it('sorts, with what has no value last in either order', () => {
    for (const order of ['mean', '-mean']) {
      const means = [...sortCells(everything, columns, order)].map((cell) => report.cells.mean[cell]!);
      const firstNull = means.indexOf(null as never);
      expect(means.slice(firstNull).every((mean) => mean === null)).toBe(true);
      const present = means.slice(0, firstNull);
      expect(present).toEqual([...present].sort((a, b) => (order === 'mean' ? a - b : b - a)));
    }
  });
  it('is the report’s own order otherwise', () => {
    expect(sortCells(everything, columns, undefined)).toBe(everything);
    expect(sortCells(everything, columns, 'nothing')).toBe(everything);
  });
  it('labels cells by short levels, right-to-left ones isolated', () => {
    expect(cellLabel(report, 0).split(' · ')).toHaveLength(4);
    const hostile = make({ cells: 200, hostile: true, sections: false }).report;
    const cell = hostile.cells.levels[1]!.indexOf(2);
    expect(cellLabel(hostile, cell)).toMatch(/\u2068.*\u2069 · /);
  });
  it('finds the jobs of a cell', () => {
    const ranges = jobRanges(report);
    expect(ranges[200]).toBe(600);
    for (let job = ranges[17]!; job < ranges[18]!; ++job) expect(report.jobs.cell[job]).toBe(17);
  });
});

describe('derivations', () => {
  it('gathers a heat map', () => {
    const grid = gather(report, everything, 0, 2, report.cells.mean);
    expect(grid.cells.reduce((a, b) => a + b)).toBe(200);
    const cells = [...everything].filter(
      (cell) => report.cells.levels[0]![cell] === 1 && report.cells.levels[2]![cell] === 0 && report.cells.mean[cell] !== null,
    );
    const mean = cells.reduce((sum, cell) => sum + report.cells.mean[cell]!, 0) / cells.length;
    expect(grid.mean[1]).toBeCloseTo(mean, 12);
    expect(grid.n[1]).toBe(cells.length);
    expect(grid.best[1]).toBe(cells[0]);
    expect(grid.sd[1]).toBeCloseTo(
      Math.sqrt(cells.reduce((sum, cell) => sum + (report.cells.mean[cell]! - mean) ** 2, 0) / (cells.length - 1)),
      12,
    );
  });
  it('makes bands of seeds', () => {
    const curves = asCurves(decodeSection(bytes(sections.curves!)), report.jobs.job);
    const of = curveOfJob(curves, report.jobs.job.length);
    const b = band(curves, 'val_accuracy', [of[0]!, of[1]!, of[2]!]);
    expect(b.epoch).toHaveLength(12);
    expect(b.n.every((n) => n === 3)).toBe(true);
    expect(b.mean.every((mean, i) => mean >= b.low[i]! && mean <= b.high[i]!)).toBe(true);
    expect(band(curves, 'val_accuracy', [of[0]!], 10).epoch).toEqual([10, 11, 12]);
    expect(band(curves, 'nothing', [of[0]!]).epoch).toEqual([]);
  });
  it('leaves out what is not a number', () => {
    const curves = {
      metrics: ['a'],
      job: Int32Array.of(0),
      start: Int32Array.of(0, 3),
      epoch: Int32Array.of(1, 2, 3),
      values: { a: Float32Array.of(1, NaN, 3) },
    };
    expect(band(curves, 'a', [0]).epoch).toEqual([1, 3]);
  });
  it('reads confusions', () => {
    const confusions = asConfusions(decodeSection(bytes(sections.confusions!)), report.cells.cell);
    const matrix = matrixOf(confusions, 0, 47)!;
    expect(matrix.rows[0]).toBe(1200);
    expect(accuracy(matrix).share).toBeGreaterThan(0.8);
    const [most] = mostConfused(matrix, null, false, 5);
    expect(shareAt(matrix, most!.actual, most!.predicted)).toBe(most!.share);
    expect(matrixOf(confusions, 150, 47)).toBeNull();
  });
  it('shows wrong predictions first', () => {
    const samples = asSamples(decodeSection(bytes(sections.samples!)), report.jobs.job);
    const shown = orderedSamples(samples, [0, 1], () => true);
    expect(shown).toHaveLength(96);
    expect(shown.map(({ wrong }) => wrong)).toEqual(shown.map(({ wrong }) => wrong).sort((a, b) => b - a));
  });
  it('adds up time', () => {
    const all = spentBy(report, asMask(everything, 200), ['all'], () => 0)[0]!;
    expect(all.jobs).toBe(600);
    expect(all.total).toBeCloseTo(
      report.jobs.seconds.reduce((sum: number, s) => sum + (s ?? 0), 0),
      6,
    );
    expect(all.mean * all.jobs).toBeCloseTo(all.total, 6);
  });
  it('finds the cells that no other one beats', () => {
    const best = frontier(report, everything);
    for (let i = 1; i < best.length; ++i) {
      expect(report.cells.seconds[best[i]!]!).toBeGreaterThan(report.cells.seconds[best[i - 1]!]!);
      expect(report.cells.mean[best[i]!]!).toBeGreaterThan(report.cells.mean[best[i - 1]!]!);
    }
    expect(best).toContain(0);
  });
  it('gathers reasons that differ by numbers alone', () => {
    const failure = (reason: string) => ({
      job: 1,
      cell: 0,
      seed: 1,
      state: 'diverged' as const,
      reason,
      attempts: 1,
      worker: '',
      ended_us: null,
    });
    expect(
      byReason([
        failure('loss is nan in epoch 2'),
        failure('loss is nan in epoch 3'),
        failure('loss is nan in epoch 2'),
        failure('other 5'),
      ]),
    ).toEqual([
      { state: 'diverged', reason: 'loss is nan in epoch …', jobs: 3 },
      { state: 'diverged', reason: 'other 5', jobs: 1 },
    ]);
  });
});

describe('parallel brushes', () => {
  it('snap to the levels that they touch', () => {
    expect(levelsWithin([[0.9, 2.1]], 5)).toEqual(new Set([1, 2]));
    expect(levelsWithin([[0.4, 0.6]], 5)).toEqual(new Set());
    expect(intervalsOf(new Set([0, 1, 3]))).toEqual([
      [-0.45, 1.45],
      [2.55, 3.45],
    ]);
    expect(levelsWithin(intervalsOf(new Set([0, 1, 3])), 5)).toEqual(new Set([0, 1, 3]));
  });
});

describe('ticks', () => {
  it('are round and within', () => {
    expect(ticks(79.2, 88.1, 5)).toEqual([80, 82, 84, 86, 88]);
    expect(ticks(1, 1, 5)).toEqual([]);
  });
});
