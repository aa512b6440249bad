package help

// rare are the flags that a page leaves out if it would be longer than a screen.
var rare = []string{
	// which job
	"lock", "sha", "max-age", "previous", "base", "source", "require-success", "any-status", "downstream",
	// which files
	"include", "flat", "symlinks", "umask", "allow-git", "sha256", "verify-provenance",
	// transfer and limits
	"cache-dir", "server", "max-bytes", "max-files", "max-ratio", "concurrency", "cache-max-size", "retries", "retry-max-time", "stall-timeout", "deadline", "download-mode",
	// server
	"token-type", "header-file", "ca-file", "cert-file", "key-file",
	// output
	"dotenv-prefix", "no-progress", "no-sections", "log-format",
}
