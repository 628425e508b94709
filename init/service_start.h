// The process of a service, from its birth to its program: session, descriptors, limits, user,
// directory, environment.
#pragma once

#include <sys/types.h>

#include "init/script.h"
#include "sup/supervisor.h"

namespace jail {

// Descriptors for the child; -1: /dev/null for input, the console (or init's log) for output.
struct ServiceStreams {
  int input = -1;
  int output = -1;
  int ready = -1;  // becomes the descriptor that spec.ready says
};

// A line about services, as say_line(); as jinit's, on standard error where it is no jail's init.
void say_of_services(const Birthplace& place, std::initializer_list<std::string_view> pieces);

// Starts the command of a service, or with an order of kind finish its finish command with the four
// words of sup/supervisor.h. The process leads a session of its own without a terminal. Yields its
// pid, or -1 with errno. Allocates in the child alone. What fails there is said on its output; it
// then exits with 127 where there is no such program, else with 126.
pid_t start_service(const Birthplace& place, const ServiceSpec& spec, const ServiceStreams& streams,
                    const ServiceOrder* finish = nullptr);

}  // namespace jail
