/** The room's door. */

export { systemPython } from './bigquery/environment.ts';
export { installOnce, userCacheDir } from './cache.ts';
export { run } from './commands.ts';
export { startKnot } from './dns/knot.ts';
export { answersHttp } from './http-check.ts';
export { goProgram } from './install/go-program.ts';
export { javaCommand, javaMissing } from './java.ts';
export { answers, brokerCommand, newClusterId } from './kafka/broker.ts';
export {
  type BrokerSecurity,
  brokerSecurity,
  clientSecurity,
  principals,
  securityEnvironment,
  userEnvironment,
} from './kafka/broker-security.ts';
export { kafkaClassPath } from './kafka/jars.ts';
export { allowedEndpoints, startMirrorMaker } from './kafka/mirror-maker.ts';
export { loggingProperties } from './kafka/properties.ts';
export { portOf, type StartedPart } from './part.ts';
export { assertPortFree, choosePorts, isPortFree } from './ports.ts';
export { databaseUser, urlAs } from './postgres/logins.ts';
export { copyAsStandby, postgres, startPostgres } from './postgres/server.ts';
export { runInBackground } from './priority.ts';
export { type Server, type ServerCommand, Servers } from './servers.ts';
export { SilenceWatch } from './silence-watch.ts';
export { type Stack, type StackOptions, startCore, startStack } from './stack.ts';
export { lockDataDir, runningStackEnvironment, StackRunningError } from './state.ts';
