# bash completion of artifetch: source <(artifetch completion bash)
_artifetch() {
	local line files=
	COMPREPLY=()
	while IFS= read -r line; do
		if [ "$line" = :files ]; then
			files=yes
		else
			COMPREPLY+=("$line")
		fi
	done < <(artifetch __complete bash "$COMP_LINE" "$COMP_POINT" 2>/dev/null)
	if [ -n "$files" ]; then
		compopt -o default -o bashdefault -o filenames 2>/dev/null
	fi
}
complete -F _artifetch artifetch
