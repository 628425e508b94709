// jinit.conf: services in the grammar of jail.conf. A block is a service; wildcards, variables and
// parameters outside blocks mean what they mean there. Never fails as a whole but for a syntax
// error: a service with a mistake is left out, and the others are not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/message.h"
#include "conf/service_spec.h"

namespace jail {

// What a text came to. Where there is a message of stage parse, there are no services.
struct ServiceConf {
  std::vector<ServiceSpec> services;  // in file order, names distinct, each with a command
  Messages messages;  // the first hundred; the last one then says that there are more
};

// Limits on hostile input: process 1 reads it.
constexpr size_t longest_service_conf = size_t{1} << 20;
constexpr size_t most_services = 1000;

// Of printable ASCII, without blanks and `/`, not beginning with a dot, and 64 bytes at most: it
// goes into status lines and messages as it is.
bool is_service_name(std::string_view name);

// For a message: what is a control character is a question mark.
std::string printable(std::string text);

// Reads a text, called `name` in messages; it may not include files. What services depend on must
// be in the text, or in `others`; loops are found later (sup/graph.h).
ServiceConf read_services(std::string name, std::string text, const Words& others = {});

// The message as jail --check writes them, but printable: FILE:LINE:COLUMN: SERVICE: TEXT.
std::string placed_text(const Message& message);

}  // namespace jail
