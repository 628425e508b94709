// os/net.h over the table: interfaces are "link NAME STACK ALIAS", addresses "address NAME ADDRESS
// PREFIX MARK".
#include "os/net.h"

#include <algorithm>
#include <fmt/format.h>

#include "tests/fake/world.h"

namespace jail {

using fake::effect;
using fake::Table;
using fake::Thing;

namespace {

std::string noun_of(const InterfaceAddress& address) {
  return fmt::format("{} {}/{}", address.interface, address.address, address.prefix);
}

Words* find_marked(Table& table, const std::string& alias) {
  for (Words& row : table.rows)
    if (row[0] == "link" && row[3] == alias) return &row;
  return nullptr;
}

}  // namespace

Result<bool> addresses_marked() {
  return !fake::look_for({"unmarked"});
}

Result<void> check_extra(const InterfaceAddress& address) {
  for (const std::string& word : address.extra)
    if (word == "nonsense")
      return fail(EINVAL, noun_of(address) + ": nonsense: means nothing here");
  return {};
}

Result<Holder> find_address(const InterfaceAddress& address) {
  if (!fake::look_for({"link", address.interface, "host"}))
    return fail_errno(address.interface, ENODEV);
  const Words* row = fake::look_for({"address", address.interface, address.address});
  if (!row) return Holder::nobody;
  return (*row)[4] == "ours" ? Holder::us : Holder::others;
}

Result<void> add_address(const InterfaceAddress& address) {
  return effect("add address", [&](Table& table) -> Result<void> {
    if (!table.has({"link", address.interface, "host"}))
      return fail_errno(address.interface, ENODEV);
    const char* mark = table.has({"unmarked"}) ? "-" : "ours";
    const Words* row = table.find({"address", address.interface, address.address});
    if (row && (*row)[4] == "ours") return {};
    if (row) return fail_errno(noun_of(address), EEXIST);
    table.add(
        {"address", address.interface, address.address, fmt::format("{}", address.prefix), mark});
    return {};
  });
}

Result<void> remove_address(const InterfaceAddress& address, bool unmarked) {
  return effect("remove address", [&](Table& table) -> Result<void> {
    const Words begin{"address", address.interface, address.address};
    const Words* row = table.find(begin);
    if (!row) return {};
    const bool ours =
        (*row)[4] == "ours" || (unmarked && (*row)[3] == fmt::format("{}", address.prefix));
    if (ours) table.erase(begin);
    return {};
  });
}

Result<std::string> describe_interface(const std::string& name) {
  const Words* row = fake::look_for({"link", name, "host"});
  if (!row) return fail_errno(name, ENODEV);
  return name + "\n" + (*row)[3] + "\n";
}

Result<void> lend_interface(const std::string& name, int stack, const std::string& mark) {
  const std::string alias = "cellblock:" + mark;
  TRY(effect("mark interface", [&](Table& table) -> Result<void> {
    Words* row = table.find({"link", name, "host"});
    if (!row) return fail_errno(name, ENODEV);
    if ((*row)[3].starts_with("cellblock:") && (*row)[3] != alias)
      return fail(EBUSY, name + ": lent to another jail");
    (*row)[3] = alias;
    return {};
  }));
  return effect("move interface", [&](Table& table) -> Result<void> {
    (*find_marked(table, alias))[2] = fake::name_of(stack, Thing::stack);
    return {};
  });
}

Result<bool> give_back_interface(const std::string& saved, int stack, const std::string& mark) {
  const std::string alias = "cellblock:" + mark;
  const Words was = split(saved, "\n");
  auto row = std::ranges::find_if(
      fake::look(), [&](const Words& one) { return one[0] == "link" && one[3] == alias; });
  if (row == fake::look().end())
    return std::ranges::any_of(
        fake::look(), [&](const Words& one) { return one[0] == "link" && one[1] == was.at(0); });
  if ((*row)[2] != "host" && (*row)[2] != fake::name_of(stack, Thing::stack))
    return fail_errno(was.at(0), ENODEV);
  TRY(effect("fetch interface", [&](Table& table) -> Result<void> {
    (*find_marked(table, alias))[2] = "host";
    return {};
  }));
  TRY(effect("restore interface", [&](Table& table) -> Result<void> {
    *find_marked(table, alias) = {"link", was.at(0), "host", was.at(1)};
    return {};
  }));
  return true;
}

Result<void> loopback_up(int /*stack*/) {
  return {};
}

}  // namespace jail
