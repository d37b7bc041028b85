#include "config/file.h"

#include "sqlbak_gateway/base/text.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace sqlbak_gateway::config {
namespace {

// An open file. Resource type.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error cannot_read(int error) {
  std::string message = "cannot be read: " + std::generic_category().message(error);
  if (error == EACCES) message += " (it must be readable by the user the gateway runs as)";
  return {message};
}

// The path of the open file as the kernel knows it, which replaced links cannot change.
bool really_below(int fd, const std::string& directory) {
  std::error_code error;
  const auto file = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
  if (error) return false;
  const auto root = std::filesystem::canonical(directory, error);
  return !error && lies_below(file.string(), root.string());
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes, const std::string& below) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return cannot_read(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return cannot_read(errno);
  if (!below.empty() && !really_below(file.get(), below)) {
    return Error{"lies outside of " + json_escaped(below) +
                 " (links are followed), and may not be used from there"};
  }
  if (S_ISDIR(status.st_mode)) return Error{"is a directory, not a file"};
  if (!S_ISREG(status.st_mode)) return Error{"is not a regular file"};

  std::string content;
  const auto announced = static_cast<std::size_t>(status.st_size);
  if (announced <= max_bytes) {
    content.resize(max_bytes < announced + 1 ? max_bytes : announced + 1);
    std::size_t filled = 0;
    while (true) {
      if (filled == content.size()) {
        if (filled > max_bytes) break;
        content.resize(filled + (max_bytes - filled < 4096 ? max_bytes - filled + 1 : 4096));
      }
      const ::ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return cannot_read(errno);
      if (got == 0) {
        content.resize(filled);
        return content;
      }
      filled += static_cast<std::size_t>(got);
    }
  }
  return Error{"is larger than " + std::to_string(max_bytes) + " bytes"};
}

std::string resolved(const std::string& directory, const std::string& path) {
  std::string text = (std::filesystem::path(directory) / path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

bool lies_below(const std::string& path, const std::string& directory) {
  const std::string_view prefix = directory == "/" ? std::string_view() : std::string_view(directory);
  return path.size() > prefix.size() + 1 && std::string_view(path).substr(0, prefix.size()) == prefix &&
         path[prefix.size()] == '/';
}

}  // namespace sqlbak_gateway::config
