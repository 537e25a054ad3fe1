/** The import rules between rooms. Whoever needs another edge changes it here, where a review sees it. */
const mayImport = {
  contracts: [],
  telemetry: ['contracts'],
  traffic: ['contracts'],
  kafka: ['contracts', 'telemetry'],
  store: ['contracts', 'telemetry'],
  gateway: ['contracts', 'telemetry', 'kafka', 'store', 'region'],
  runtime: ['contracts', 'telemetry', 'kafka', 'store'],
  actors: ['contracts', 'telemetry', 'runtime', 'store'],
  bridge: ['contracts', 'telemetry', 'kafka', 'runtime', 'store'],
  display: ['contracts', 'telemetry', 'kafka', 'store'],
  edge: ['contracts', 'telemetry', 'gateway', 'display'],
  region: ['contracts', 'telemetry', 'kafka'],
  stack: ['contracts', 'telemetry', 'kafka', 'store'],
};

const rooms = [...Object.keys(mayImport), 'perf', 'chaos', 'drill', 'cli', 'scripts', 'test'];

const roomRules = Object.entries(mayImport).map(([room, others]) => ({
  name: `${room}-imports`,
  comment:
    others.length === 0 ? `${room} imports no other room` : `${room} imports ${others.join(', ')} and no other room`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: `^(${rooms.filter((other) => other !== room && !others.includes(other)).join('|')})/` },
}));

/** Packages that one room hides from all others. The benchmarks compare with them bare, and tests look from outside. */
const hiddenPackages = [
  { package: 'kafkajs|@platformatic/kafka', room: 'kafka' },
  { package: 'postgres', room: 'store' },
  { package: '@google-cloud/[^/]+', room: 'bridge' },
];

const packageRules = hiddenPackages.map(({ package: name, room }) => ({
  name: `only-${room}-knows-its-client`,
  comment: `${name.replaceAll('|', ' and ')} stay behind ${room}/`,
  severity: 'error',
  from: { pathNot: `^(${room}|perf|test)/` },
  to: { path: `(^|/)node_modules/(${name})/` },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    ...packageRules,
    {
      name: 'no-cycles',
      comment: 'no file imports itself through others',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'every import names a file or a package that is there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-package-in-production',
      comment: 'what runs in production is a dependency, not a dev dependency',
      severity: 'error',
      from: { pathNot: '^(stack|perf|scripts|test)/|\\.config\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
  ],
  options: {
    parser: 'tsc',
    // Type imports count: a room that knows another's types knows the room.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.data|\\.cache|perf/report)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
