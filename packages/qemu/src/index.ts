export { type Bind, type Command, type Jail, type JailMode, jailCommand } from './launch/jail.ts';
export { type JailedTool, runJailed, ToolError } from './launch/tool.ts';
