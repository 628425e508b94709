// Creation as the user sees it: what the kernel's jail_set(2) would refuse, what a running jail's
// parameters are, and the record of them that jls(8) reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conf/spec.h"
#include "ledger/op.h"
#include "os/kernel.h"

namespace jail {

// What a name cannot be (Appendix A): a number, in its last part, that is not the jid in its normal
// form. EINVAL, with the kernel's words.
Result<void> check_name(std::string_view name, int64_t jid);

// What a create with this jid refuses (Appendix A, J4.5, J2.2), with the whole message as text:
// values out of range (check_ranges), restrictions that a vnet excludes, no persistence and nothing
// to attach (J4.6), a name as above. Looks at the Spec alone.
Result<void> check_create(const Spec& spec, int64_t jid);

// The jail's root `path` as jail(8) checks it (J4.5): "path P: not an absolute pathname", "path P:
// STRERROR" (ENOTDIR where it is no directory), where P is as given.
Result<void> check_root(const Spec& spec, const std::string& path);

// The path with all links resolved (realpath(3)), or as it is where that cannot be done.
std::string resolved_path(const std::string& path);

// The line of -v for a create (J3.11): "jail_set(JAIL_CREATE) name=web path=/r persist", with
// ": TEXT" where it failed.
void note_create(const World& world, const std::string& failure);

// What everybody may know of a jail, as its `shown` file holds it: what was given but no exec.* nor
// anything else that only root may see, what comes from the jail above (`parent`, perhaps nullptr),
// addresses in the kernel's order (J2.2).
Spec public_part(const Spec& spec, const Spec* parent);

// The effective values of a running jail: its public part, and for the rest FreeBSD's defaults
// (J2.2, J2.3).
Spec effective(Spec shown);

// Holds a nested jail to what the jail above it has (J2.2, J2.3): defaults are taken from it, and
// what was asked for beyond is EPERM with the kernel's words.
Result<void> keep_within(Spec& spec, const Spec& above);

// True if a start has to keep the jail alive until its commands are over (J4.6): it does not
// persist, and exec.start, command or exec.poststart exist.
bool persists_for_now(const Spec& spec);

// What jls(8) may know of a jail, beside its Spec.
struct ShownFacts {
  std::string id;
  int64_t jid = 0, parent = 0;
  Process1 process1;
  std::string group;
};

// A `shown` file: facts in a comment on the first line ("# ID JID PARENT PID START GROUP"), then
// the public part of the Spec as one block.
std::string shown_text(const ShownFacts& facts, const Spec& spec);
// The facts of one; nothing if it is not one. The Spec behind them is read_spec's to read.
std::optional<ShownFacts> shown_facts(std::string_view text);

// Writes the `shown` file of the jail whose `boot` has yielded `boot`: from then on jls and jexec
// find it. An error leaves none.
Result<void> write_shown(World& world, const Words& boot);
// Takes it away; one that is not there is fine.
void remove_shown(World& world);

}  // namespace jail
