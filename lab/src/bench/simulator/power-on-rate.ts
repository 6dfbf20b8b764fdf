// How many VMs a simulator powers on in a second: sessions beside each other, each waits for its task before it takes the next VM.
import { type Address, call, SoapSession } from './session.ts';

const SESSIONS = 8;

export async function powerOnRate(address: Address, vms: readonly string[]): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => SoapSession.open(address)));
  try {
    const left = [...vms];
    const started = performance.now();
    await Promise.all(
      sessions.map(async (session) => {
        for (let vm = left.pop(); vm !== undefined; vm = left.pop()) await powerOn(session, vm);
      }),
    );
    return vms.length / ((performance.now() - started) / 1000);
  } finally {
    for (const session of sessions) session[Symbol.dispose]();
  }
}

async function powerOn(session: SoapSession, vm: string): Promise<void> {
  const { body } = await session.send(call('PowerOnVM_Task', 'VirtualMachine', vm));
  const task = /<returnval[^>]*>([^<]*)</.exec(body)?.[1] ?? '';
  const read = call(
    'RetrievePropertiesEx',
    'PropertyCollector',
    'propertyCollector',
    `<specSet><propSet><type>Task</type><pathSet>info.state</pathSet></propSet><objectSet><obj type="Task">${task}</obj></objectSet></specSet><options/>`,
  );
  for (;;) {
    const { body: state } = await session.send(read);
    if (state.includes('>success<')) return;
    if (state.includes('>error<')) throw new Error(`${vm} was not powered on`);
  }
}
