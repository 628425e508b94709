#include "ledger/engine.h"

#include <algorithm>

#include "base/table.h"

namespace jail {

namespace {

// Acts come out of files as well: those of a newer program, or of a damaged ledger, are refused
// here and reach no verb.
Result<const Verb*> verb_of(std::span<const Verb> verbs, const Op& op) {
  const Verb* verb = find_row(verbs, op.verb);
  if (!verb) return fail(EINVAL, text_of(op) + ": an act this program does not know");
  if (op.args.size() != verb->arity)
    return fail(EINVAL, text_of(op) + ": an act with the wrong number of words");
  return verb;
}

// An act without an undo, or one that has not survived an earlier boot, is only struck.
Result<void> undo(const Work& work, size_t place, bool same_boot) {
  const Op op = work.ledger.acts()[place].op;
  const Verb* verb = TRY(verb_of(work.verbs, op));
  if (verb->undo && (same_boot || verb->lives == Lives::disk)) {
    if (work.seen) work.seen(work.world, op, true);
    TRY(verb->undo(work.world, op));
  }
  work.ledger.undone(place);
  return {};
}

// True if an act that has to go before this one is still there.
bool held_up(const Work& work, const Op& op) {
  const Verb* verb = find_row(work.verbs, op.verb);
  return verb && verb->needs_gone && work.ledger.newest(verb->needs_gone);
}

}  // namespace

// The order is the whole point: what is in the ledger may be in the world, what is not in it is not
// in the world. A check that refuses has therefore to come before the note.
Result<void> perform(const Work& work, const Op& op) {
  const Verb* verb = TRY(verb_of(work.verbs, op));
  if (verb->check && TRY(verb->check(work.world, op)) == Claim::nothing) return {};
  if (work.seen) work.seen(work.world, op, false);
  if (verb->lives == Lives::space) {
    TRY(verb->apply(work.world, op));
    return {};
  }
  size_t place = TRY(work.ledger.begin(op, verb->lives == Lives::disk));
  return work.ledger.done(place, TRY(verb->apply(work.world, op)));
}

Unwound unwind(const Work& work, const std::string& boot_id) {
  Unwound result;
  const bool same_boot = work.ledger.head().boot_id == boot_id;
  for (size_t place = work.ledger.acts().size(); place-- > 0;) {
    const Op op = work.ledger.acts()[place].op;
    // After a reboot nothing is held up: what would hold is void, and struck on the way.
    if (!work.ledger.acts()[place].open || (same_boot && held_up(work, op))) continue;
    Result<void> undone = undo(work, place, same_boot);
    if (undone) continue;
    result.refused = undone.error().code == ECANCELED;
    result.troubles.push_back({op, std::move(undone.error())});
    if (result.refused) break;
  }
  return result;
}

}  // namespace jail
