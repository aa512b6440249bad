# fish completion of artifetch: artifetch completion fish >~/.config/fish/completions/artifetch.fish
function __artifetch_complete
	set -l words (commandline -opc)
	set -e words[1]
	for line in (artifetch __complete fish $words (commandline -ct) 2>/dev/null)
		if test "$line" = :files
			__fish_complete_path (commandline -ct)
		else
			echo $line
		end
	end
end
complete -c artifetch -f -a '(__artifetch_complete)'
