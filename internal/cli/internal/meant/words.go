package meant

// Commands are words that people know from other programs, and the commands for them.
var Commands = map[string]string{
	"download": "fetch", "pull": "fetch", "list": "jobs, or ls for the files of a job", "log": "job log", "logs": "job log", "trace": "job log", "show": "job show",
	"status": "job show", "cancel": "job cancel", "retry": "job retry", "play": "job play", "run": "job play", "erase": "job erase", "unzip": "extract", "unpack": "extract",
	"man": "help", "rm": "delete", "remove": "delete", "files": "ls", "tree": "ls --tree", "update": "sync --update", "install": "sync", "why": "explain", "pipelines": "jobs --pipeline ID",
}

// Subcommands are words that people know from other programs, after a command, and its
// subcommands for them.
var Subcommands = map[string]string{
	"sync rm": "remove", "sync delete": "remove", "sync del": "remove", "sync new": "init", "sync create": "init", "sync install": "add",
	"job logs": "log", "job trace": "log", "job view": "show", "job status": "show", "job stop": "cancel", "job run": "play", "job start": "play", "job rerun": "retry",
}
