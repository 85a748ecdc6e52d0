import { describe, expect, it } from 'vitest';
import {
  columnDecimals,
  difference,
  interval,
  intervalMeaning,
  metricTitle,
  rangeText,
  scaleOf,
  value,
} from '../../src/format/metric';
import { bytes, count, decimalsOf, decimalsWith, fixed, meanCount, plain, pValue, significant } from '../../src/format/number';
import { rankText } from '../../src/format/rank';
import { duration, moment, roughly } from '../../src/format/time';

const plainSpaces = (text: string) => text.replace(/\u00a0/g, ' ');
const accuracy = scaleOf('val_accuracy');
const loss = scaleOf('val_loss');

describe('metrics', () => {
  it('shows the mean with three digits, or as many more as the half width needs', () => {
    expect(plainSpaces(interval(accuracy, 0.84987, 0.0021))).toBe('85.0 ± 0.2 %');
    expect(plainSpaces(interval(accuracy, 0.84987, 0.0003))).toBe('84.99 ± 0.03 %');
    expect(plainSpaces(interval(accuracy, 0.84987, 0.013))).toBe('85.0 ± 1.3 %');
    expect(plainSpaces(interval(loss, 0.45123, 0.0021))).toBe('0.451 ± 0.002 nats');
    expect(plainSpaces(interval(accuracy, 0.5, 0.0021, 1))).toBe('50.0 ± 0.2 %');
  });
  it('spends no digits on rounding errors, and shows tiny losses with an exponent', () => {
    expect(plainSpaces(interval(accuracy, 0.1 + 1.4e-17, 4e-17))).toBe('10.0 ± 0.0 %');
    expect(plainSpaces(interval(loss, 0.00001234, 0.000002))).toBe('1.23e−5 ± 2e−6 nats');
  });
  it('tells the ends of a narrow range apart', () => {
    expect(plainSpaces(rangeText(accuracy, [0.84961, 0.84993]))).toBe('84.96 … 84.99');
    expect(plainSpaces(rangeText(accuracy, [0.5, 0.85]))).toBe('50.0 … 85.0');
  });
  it('leaves ± out where there is none', () => {
    expect(plainSpaces(interval(accuracy, 0.84987, null))).toBe('85.0 %');
    expect(interval(accuracy, null, null)).toBe('–');
    expect(plainSpaces(value(loss, 0.45123))).toBe('0.451 nats');
  });
  it('gives differences of shares in percentage points', () => {
    expect(plainSpaces(difference(accuracy, -0.00042, 0.0005))).toBe('−0.0420 ± 0.0500 pp');
    expect(plainSpaces(difference(loss, 0.01, 0.002))).toBe('0.0100 ± 0.0020 nats');
  });
  it('aligns a column by its middle value', () => {
    expect(columnDecimals(accuracy, [0.85, 0.84, 0.0213, 0.83], [0.0021, 0.003, null, 0.1])).toBe(1);
    expect(columnDecimals(accuracy, [0.85, 0.84, null], [0.0003, 0.0002, null])).toBe(2);
    expect(columnDecimals(loss, [0.45], [null])).toBe(3);
    expect(columnDecimals(loss, [], [])).toBe(0);
  });
  it('says what ± is', () => {
    expect(intervalMeaning(['binomial'], 11280)).toBe(
      'One seed: ± is 1.96 standard errors of the 11,280 evaluation images, not of other seeds.',
    );
    expect(intervalMeaning(['none'], 0)).toContain('none is given');
    expect(intervalMeaning(['student_t', 'none'], 0)).toContain('Student’s t');
  });
  it('names metrics in words', () => {
    expect(metricTitle('val_accuracy')).toBe('validation accuracy');
    expect(metricTitle('lr')).toBe('learning rate');
  });
});

describe('numbers', () => {
  it('have a real minus, never before zero', () => {
    expect(fixed(-0.004, 2)).toBe('0.00');
    expect(fixed(-1.5, 1)).toBe('−1.5');
    expect([fixed(81.05, 1), fixed(84.25, 1), fixed(-84.25, 1)]).toEqual(['81.1', '84.3', '−84.3']);
  });
  it('are grouped', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect(count(null)).toBe('–');
    expect(meanCount(8.7)).toBe('8.7');
  });
  it('have significant digits', () => {
    expect(significant(0.451234)).toBe('0.451');
    expect(significant(99.97)).toBe('100');
    expect(significant(1234.5)).toBe('1235');
    expect(significant(0.000001234)).toBe('1.23e−6');
    expect(significant(NaN)).toBe('–');
    expect(plain(0.001)).toBe('0.001');
    expect(plain(0.000025)).toBe('2.5e−5');
  });
  it('tell p', () => {
    expect(plainSpaces(pValue(0.0001))).toBe('< 0.001');
    expect(pValue(0.034)).toBe('0.034');
    expect(pValue(0.41)).toBe('0.41');
    expect(pValue(1)).toBe('1.00');
  });
  it('choose decimals', () => {
    expect([84.987, 0.451, 9.996, 1234, 0].map((value) => decimalsOf(value))).toEqual([1, 3, 1, 0, 0]);
    expect(decimalsWith(84.987, 0.21)).toBe(1);
    expect(decimalsWith(84.987, 0.03)).toBe(2);
    expect(decimalsWith(0.5, 13.42)).toBe(1);
    expect(decimalsWith(0.5, 0)).toBe(3);
  });
  it('tell sizes and ranks', () => {
    expect(plainSpaces(bytes(561_722_982))).toBe('535.7 MiB');
    expect(rankText(1, true)).toBe('1=');
    expect(rankText(null, false)).toBe('–');
  });
});

describe('times', () => {
  it('are as long as needed', () => {
    expect([0.52, 7.34, 42, 185, 7620, 273600].map((s) => plainSpaces(duration(s)))).toEqual([
      '0.52 s',
      '7.3 s',
      '42 s',
      '3 min 05 s',
      '2 h 07 min',
      '3 d 04 h',
    ]);
    expect([59.7, 3599.9, 86399].map((s) => plainSpaces(duration(s)))).toEqual(['1 min 00 s', '1 h 00 min', '1 d 00 h']);
    expect([40, 125, 7620].map((s) => plainSpaces(roughly(s)))).toEqual(['40 s', '2 min', '2 h 07 min']);
    expect(plainSpaces(moment(1_760_000_000_000_000))).toBe('2025-10-09 08:53 UTC');
  });
});
