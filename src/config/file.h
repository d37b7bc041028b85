// Reads small files that people write. Reading is bounded and never blocks on a pipe; messages say what is
// there instead of a file.
#pragma once

#include "sqlbak_gateway/base/result.h"

#include <cstddef>
#include <string>

namespace sqlbak_gateway::config {

// The content of the regular file at `path`, links followed. With `below`, the file that was opened must lie
// below that directory, whatever links and ".." are in either path. The Error is a half sentence to follow
// the path: "cannot be read: No such file or directory", "is a directory, not a file", "is larger than 4096
// bytes".
Result<std::string> read_file(const std::string& path, std::size_t max_bytes, const std::string& below = {});

// `path`, relative to `directory` unless it is absolute, without "." and "..".
std::string resolved(const std::string& directory, const std::string& path);

// Whether the path, by its text, lies below the directory. Both as resolved() makes them.
bool lies_below(const std::string& path, const std::string& directory);

}  // namespace sqlbak_gateway::config
