#include "ledger/engine.h"

#include <algorithm>

#include "base/table.h"

namespace jail {

namespace {

// The act's own words, for messages: "address lo 127.0.0.2/32".
std::string words_of(const Op& op) {
  std::string text = op.verb;
  for (const std::string& word : op.args) text += ' ' + word;
  return text;
}

Result<const Verb*> verb_of(std::span<const Verb> verbs, const Op& op) {
  const Verb* verb = find_row(verbs, op.verb);
  if (!verb) return fail(EINVAL, words_of(op) + ": an act this program does not know");
  if (op.args.size() != verb->arity) return fail(EINVAL, words_of(op) + ": an act with the wrong number of words");
  return verb;
}

Result<void> undo(World& world, Ledger& ledger, std::span<const Verb> verbs, size_t place, bool same_boot) {
  const Op op = ledger.acts()[place].op;
  const Verb* verb = TRY(verb_of(verbs, op));
  if (verb->undo && (same_boot || verb->lives == Lives::disk)) TRY(verb->undo(world, op));
  ledger.undone(place);
  return {};
}

// True if an act that has to go before this one is still there.
bool held_up(const Ledger& ledger, std::span<const Verb> verbs, const Op& op) {
  const Verb* verb = find_row(verbs, op.verb);
  return verb && verb->needs_gone && ledger.newest(verb->needs_gone);
}

}  // namespace

Result<void> perform(World& world, Ledger& ledger, std::span<const Verb> verbs, const Op& op) {
  const Verb* verb = TRY(verb_of(verbs, op));
  if (verb->check && TRY(verb->check(world, op)) == Claim::nothing) return {};
  if (verb->lives == Lives::space) {
    TRY(verb->apply(world, op));
    return {};
  }
  size_t place = TRY(ledger.begin(op, verb->lives == Lives::disk));
  return ledger.done(place, TRY(verb->apply(world, op)));
}

Unwound unwind(World& world, Ledger& ledger, std::span<const Verb> verbs, const std::string& boot_id) {
  Unwound result;
  const bool same_boot = ledger.head().boot_id == boot_id;
  for (size_t place = ledger.acts().size(); place-- > 0;) {
    const Op op = ledger.acts()[place].op;
    if (!ledger.acts()[place].open || (same_boot && held_up(ledger, verbs, op))) continue;
    Result<void> undone = undo(world, ledger, verbs, place, same_boot);
    if (undone) continue;
    result.refused = undone.error().code == ECANCELED;
    result.troubles.push_back({op, std::move(undone.error())});
    if (result.refused) break;
  }
  return result;
}

}  // namespace jail
