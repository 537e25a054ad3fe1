import { expect, test } from 'vitest';
import { fitScalability, throughputOf } from '../../../perf/sweeps/scalability-law.ts';

const workers = [1, 2, 4, 8, 16, 32];

function synthetic(law: { lambda: number; sigma: number; kappa: number }, noise = () => 0) {
  return workers.map((count) => ({ workers: count, perSecond: throughputOf(law, count) * (1 + noise()) }));
}

test.each([
  { lambda: 100_000, sigma: 0.02, kappa: 0.0005 },
  { lambda: 40, sigma: 0.3, kappa: 0.01 },
  { lambda: 1_000, sigma: 0, kappa: 0.002 },
])('finds the parameters that made the data: $lambda, $sigma, $kappa', (law) => {
  const fit = fitScalability(synthetic(law));
  expect(fit.lambda / law.lambda).toBeCloseTo(1, 3);
  expect(fit.sigma).toBeCloseTo(law.sigma, 3);
  expect(fit.kappa).toBeCloseTo(law.kappa, 4);
  expect((fit.peak ?? 0) / Math.sqrt((1 - law.sigma) / law.kappa)).toBeCloseTo(1, 2);
});

test('without coherence there is no peak', () => {
  const fit = fitScalability(synthetic({ lambda: 10, sigma: 0.1, kappa: 0 }));
  expect(fit.sigma).toBeCloseTo(0.1, 4);
  expect(fit.peak).toBeNull();
});

test('better than linear counts as linear: neither parameter goes below 0', () => {
  const fit = fitScalability(workers.map((count) => ({ workers: count, perSecond: count ** 1.1 })));
  expect(fit).toMatchObject({ sigma: 0, kappa: 0, peak: null });
});

test('errors of a few per cent move the fit a little', () => {
  let turn = 0;
  const law = { lambda: 50_000, sigma: 0.1, kappa: 0.002 };
  const fit = fitScalability(synthetic(law, () => (turn++ % 2 === 0 ? 0.02 : -0.02)));
  expect(Math.abs(fit.sigma - law.sigma)).toBeLessThan(0.03);
  for (const count of workers) expect(throughputOf(fit, count) / throughputOf(law, count)).toBeCloseTo(1, 1);
});

test('two numbers of workers are too few', () => {
  const two = [1, 2, 2].map((count) => ({ workers: count, perSecond: count }));
  expect(() => fitScalability(two)).toThrow('three numbers of workers');
});
