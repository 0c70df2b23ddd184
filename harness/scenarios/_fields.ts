/**
 * Blocks of output fields from which the bundled scenarios are put together: places, processes and
 * system calls. A child takes over what its parent has, so that a story stays consistent with itself.
 *
 * The fields are those of Falco's rules since 0.40, with `proc.pid` and `proc.ppid` as a site adds
 * them through `append_output` in falco.yaml.
 *
 * @module
 */
import type { FieldValue } from "../../lib/alert/alert.ts";

/** Output fields by name. */
export type Fields = { readonly [name: string]: FieldValue };

/** The place of whatever runs on the node itself: Falco has no image and no pod for it. */
export const onHost: Fields = {
  "container.id": "host",
  "container.image.repository": null,
  "container.image.tag": null,
  "container.name": "host",
  "k8s.ns.name": null,
  "k8s.pod.name": null,
};

/**
 * The first process of a story that Falco knows.
 *
 * @param place Container, pod, user and terminal.
 * @param parent Its parent: the name is null where Falco had already lost it.
 * @param pid Its process id, as the node counts.
 * @param exepath The path of its executable.
 * @param cmdline Its command line; the first word is its name, as in Falco.
 */
export function first(
  place: Fields,
  parent: { readonly name: string | null; readonly pid: number },
  pid: number,
  exepath: string,
  cmdline: string,
): Fields {
  return {
    ...place,
    "proc.aname[2]": null,
    "proc.cmdline": cmdline,
    "proc.exepath": exepath,
    "proc.name": nameOf(cmdline),
    "proc.pcmdline": parent.name,
    "proc.pid": pid,
    "proc.pname": parent.name,
    "proc.ppid": parent.pid,
  };
}

/**
 * A process that another one started; it has the place, the user and the terminal of its parent.
 *
 * @param parent The fields of the parent.
 * @param pid Its process id, as the node counts.
 * @param exepath The path of its executable.
 * @param cmdline Its command line; the first word is its name, as in Falco.
 * @param changes What differs from the parent besides, such as the user after a `sudo`.
 */
export function child(
  parent: Fields,
  pid: number,
  exepath: string,
  cmdline: string,
  changes: Fields = {},
): Fields {
  return {
    ...parent,
    "proc.aname[2]": parent["proc.pname"] ?? null,
    "proc.cmdline": cmdline,
    "proc.exepath": exepath,
    "proc.name": nameOf(cmdline),
    "proc.pcmdline": parent["proc.cmdline"] ?? null,
    "proc.pid": pid,
    "proc.pname": parent["proc.name"] ?? null,
    "proc.ppid": parent["proc.pid"] ?? null,
    ...changes,
  };
}

/** `execve` that brought the process up. */
export function execve(process: Fields, flags: string = "EXE_LOWER_LAYER"): Fields {
  return { ...process, "evt.type": "execve", "evt.res": "SUCCESS", "evt.arg.flags": flags };
}

/** `openat` by the process, for reading unless the flags say otherwise. */
export function openat(process: Fields, path: string, flags: string = "O_RDONLY"): Fields {
  return {
    ...process,
    "evt.type": "openat",
    "evt.arg.flags": flags,
    "fd.name": path,
    "fd.type": "file",
  };
}

/** A system call on a TCP socket; `local` and `remote` are `address:port`, IPv4. */
export function tcp(process: Fields, call: string, local: string, remote: string): Fields {
  return {
    ...process,
    "evt.type": call,
    "evt.arg.flags": null,
    "fd.l4proto": "tcp",
    "fd.lport": portOf(local),
    "fd.name": `${local}->${remote}`,
    "fd.rport": portOf(remote),
    "fd.sip": remote.slice(0, remote.lastIndexOf(":")),
    "fd.type": "ipv4",
  };
}

/** A system call without flags and without a file. */
export function call(process: Fields, name: string, more: Fields = {}): Fields {
  return { ...process, "evt.type": name, "evt.arg.flags": null, ...more };
}

function nameOf(cmdline: string): string {
  return cmdline.split(/\s/, 1)[0] ?? "";
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
