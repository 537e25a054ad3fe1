/** The import rules between rooms. Whoever needs another edge changes it here, where a review sees it. */
const mayImport = {
  contracts: [],
  telemetry: ['contracts'],
  kafka: ['contracts', 'telemetry'],
  store: ['contracts', 'telemetry'],
  gateway: ['contracts', 'telemetry', 'kafka', 'store', 'region'],
  runtime: ['contracts', 'telemetry', 'kafka', 'store'],
  actors: ['contracts', 'telemetry', 'runtime', 'store'],
  bridge: ['contracts', 'telemetry', 'kafka', 'runtime', 'store'],
  display: ['contracts', 'telemetry', 'kafka', 'store'],
  // An agent judges an order by the rules of the order-validator.
  edge: ['contracts', 'telemetry', 'gateway', 'display', 'actors'],
  region: ['contracts', 'telemetry', 'kafka'],
  // A failover brings the database up to the log, by the rules of the actors.
  'region/operations': ['contracts', 'telemetry', 'kafka', 'store', 'actors', 'region'],
  stack: ['contracts', 'telemetry', 'kafka', 'store'],
  audit: ['contracts', 'telemetry', 'kafka', 'store', 'bridge', 'region'],
};

/** Rooms that may import all others; nothing that ships imports them, and nothing at all imports `cli`. */
const outermost = ['lab', 'perf', 'cli', 'docs', 'test'];

const shipped = Object.keys(mayImport).filter((room) => !room.includes('/'));
const rooms = [...shipped, ...outermost];

const roomRules = Object.entries(mayImport).map(([room, others]) => {
  const [top] = room.split('/');
  const inside = Object.keys(mayImport).filter((other) => other.startsWith(`${room}/`));
  return {
    name: `${room}-imports`,
    comment:
      others.length === 0 ? `${room} imports no other room` : `${room} imports ${others.join(', ')} and no other room`,
    severity: 'error',
    from: { path: `^${room}/`, ...(inside.length > 0 ? { pathNot: `^(${inside.join('|')})/` } : {}) },
    to: { path: `^(${[...rooms.filter((other) => other !== top && !others.includes(other)), ...inside].join('|')})/` },
  };
});

/**
 * The doors: what of a room others may import. `contracts/` and `telemetry/` are toolboxes whose files are doors themselves, so that a
 * worker thread does not load what only a role's main thread needs. Tests look inside of every room.
 */
const doors = {
  kafka: ['index'],
  store: ['index'],
  // Commands tell of menus, and load nothing of the server.
  gateway: ['index', 'identity/index', 'menus/announce'],
  // A slot thread loads the actor's types and faults, and nothing of the host.
  runtime: ['index', 'actor', 'outage'],
  // The rules load nothing of a worker, and neither do commands that ask about money.
  actors: ['index', 'restore', 'payments', 'order-validator/rules', 'order-validator/availability'],
  // Each role loads only its own client of Google Cloud.
  bridge: ['index', 'filter', 'loyalty/index', 'pubsub/index', 'warehouse/index'],
  // Codes and tokens of screens are for commands too, which load nothing of the server.
  display: ['index', 'pairing/code'],
  edge: ['index'],
  region: ['index', 'operations/index'],
  // A role that has its servers' addresses loads nothing of the servers. The agent's package rebinds its addon as the installation does.
  stack: ['index', 'environment', 'system/index', 'install/post-install'],
  audit: ['index'],
  // The capacity program waits for a mesh as the fleet does.
  lab: ['crew', 'traffic/index', 'mapping/index', 'load/index', 'plots/page', 'fleet/progress'],
};

const doorRules = [
  ...Object.entries(doors).map(([room, names]) => ({
    name: `door-of-${room}`,
    comment: `other rooms import ${names.map((name) => `${room}/${name}.ts`).join(', ')}`,
    severity: 'error',
    from: { pathNot: `^(${room}|test)/` },
    to: { path: `^${room}/`, pathNot: `^${room}/(${names.join('|')})\\.(ts|mjs)$` },
  })),
  ...['cli', 'perf'].map((room) => ({
    name: `nothing-imports-${room}`,
    comment: `${room} is a program`,
    severity: 'error',
    from: { pathNot: `^(${room}|test)/` },
    to: { path: `^${room}/` },
  })),
];

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
    ...doorRules,
    ...packageRules,
    {
      name: 'slot-threads-know-no-host',
      comment: 'runtime/slot and runtime/wire import nothing of the main thread',
      severity: 'error',
      from: { path: '^runtime/(wire|slot)/' },
      to: { path: '^runtime/host/' },
    },
    {
      name: 'main-thread-knows-no-slot',
      comment:
        'runtime/host and runtime/wire import nothing of the slot threads: they share only the types of runtime/wire',
      severity: 'error',
      from: { path: '^runtime/(wire|host)/' },
      to: { path: '^runtime/slot/' },
    },
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
      from: { pathNot: '^(stack|perf|docs|test)/|\\.config\\.ts$' },
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
