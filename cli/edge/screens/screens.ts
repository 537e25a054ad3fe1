import { Command } from 'commander';
import { UsageError } from '../../../contracts/failure.ts';
import { ScreenFile, screenFileOf, spoolPathOf } from '../../../edge/index.ts';
import { print, printJson, table } from '../../output.ts';
import { code } from '../../screens/code.ts';
import { unknownCode } from '../../screens/pair.ts';
import { visitSpool } from '../visiting.ts';

export function edgeScreensCommand(): Command {
  const command = new Command('screens').description("The screens of the store's own display, which the agent serves.");
  command
    .command('pair')
    .description('Admits the screen that shows a code.')
    .argument('<code>', 'the six letters and digits on the screen', code)
    .option('--name <name>', 'what `screens list` calls it')
    .option('--json', 'print the screen as one object')
    .action((given: string, { name, json }: { name?: string; json?: boolean }) =>
      withScreens((screens) => {
        const pairing = screens.findPairing(given);
        const screen = pairing && screens.admit(given, name ?? `screen at ${pairing.address}`);
        if (screen === undefined) throw new UsageError(unknownCode(given));
        if (json) printJson(screen);
        else print(`${screen.screenId}: "${screen.name}" (asked from ${pairing?.address}) is admitted`);
      }),
    );
  command
    .command('list')
    .description('Lists the screens that are admitted.')
    .option('--json', 'print {"screens":[…]}')
    .action(({ json }: { json?: boolean }) =>
      withScreens((screens) => {
        const all = screens.list();
        if (json) return printJson({ screens: all });
        const time = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 16));
        const rows = all.map(({ screenId, name, seenAt, expiresAt }) => [
          screenId,
          name,
          time(seenAt),
          time(expiresAt),
        ]);
        print(all.length === 0 ? 'no screen is admitted' : table(['id', 'name', 'last seen', 'admitted until'], rows));
      }),
    );
  command
    .command('revoke')
    .description('Removes a screen. Its page loses its tickets within seconds.')
    .argument('<id>', 'id of the screen, as `screens list` shows it')
    .action((id: string) =>
      withScreens((screens) => {
        if (!screens.revoke(id))
          throw new UsageError(`no admitted screen has the id ${id}; \`screens list\` shows them`);
        print(`${id} was removed`);
      }),
    );
  return command;
}

/** Beside the spool of this configuration, which must exist: else the command would make a file that no agent reads. */
function withScreens(use: (screens: ScreenFile) => void): void {
  const path = visitSpool('read', (_, config) => screenFileOf(spoolPathOf(config)));
  using screens = new ScreenFile(path);
  use(screens);
}
