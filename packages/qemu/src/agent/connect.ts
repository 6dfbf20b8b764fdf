import { connectUnix } from '../monitor/connect.ts';
import { type AgentOptions, GuestAgent } from './guest-agent.ts';

/** Connects to the socket of the agent's channel (`runFiles.agent`). QEMU serves one connection at a time; no word is said yet. */
export async function connectGuestAgent(path: string, options: AgentOptions): Promise<GuestAgent> {
  return new GuestAgent(await connectUnix(path, options), options);
}
