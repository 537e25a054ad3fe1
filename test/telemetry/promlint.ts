/** A metric as the linter judges it. */
export interface LintedMetric {
  name: string;
  type: string;
  help: string;
}

/** What a scrape in the Prometheus text format declares. */
export function metricsOf(scrape: string): LintedMetric[] {
  const helps = new Map([...scrape.matchAll(/^# HELP (\S+) ?(.*)$/gm)].map(([, name = '', help = '']) => [name, help]));
  return [...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
    name,
    type,
    help: helps.get(name) ?? '',
  }));
}

const abbreviations = ['s', 'ms', 'us', 'ns', 'sec', 'b', 'kb', 'mb', 'gb', 'tb', 'pb', 'm', 'h', 'd'];
const units = /^(milli|micro|nano|kilo|mega|giga|tera)(second|byte|gram|meter|volt|ampere|joule)s?$/;
const otherUnits = ['minutes', 'hours', 'days', 'weeks', 'bits', 'fahrenheit', 'kelvin', 'percent', 'celcius'];

/** The rules of `promtool check metrics` (client_golang's promlint), each as a sentence where it is broken. */
export function promlint(metrics: readonly LintedMetric[]): string[] {
  return metrics.flatMap(({ name, type, help }) => {
    const parts = name.split('_');
    const faults: string[] = [];
    const refuse = (isBroken: boolean, fault: string) => isBroken && faults.push(`${name} (${type}): ${fault}`);
    refuse(help.trim() === '', 'no help');
    refuse(type === 'counter' && !name.endsWith('_total'), 'a counter ends in _total');
    refuse(type !== 'counter' && name.endsWith('_total'), 'only a counter ends in _total');
    const isHistogram = type === 'histogram';
    refuse(!isHistogram && name.endsWith('_bucket'), 'only a histogram ends in _bucket');
    refuse(!isHistogram && type !== 'summary' && /_(count|sum)$/.test(name), 'neither histogram nor summary');
    refuse(
      parts.slice(1).some((part) => ['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(part)),
      'the type is part of the name',
    );
    refuse(name.includes(':'), 'colons are for recording rules');
    refuse(/[a-z][A-Z]/.test(name), 'names are in snake_case');
    refuse(
      parts.some((part) => abbreviations.includes(part)),
      'units are not abbreviated',
    );
    refuse(
      parts.some((part) => units.test(part) || otherUnits.includes(part)),
      'units are base units',
    );
    return faults;
  });
}
