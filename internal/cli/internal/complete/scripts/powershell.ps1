# PowerShell completion of artifetch: artifetch completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName artifetch -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    if ($wordToComplete -eq '') { $words += '""' }
    artifetch __complete powershell @words 2>$null | ForEach-Object {
        if ($_ -ne ':files') {
            $name, $about = $_ -split "`t", 2
            $text = if ($name -match '[\s''"`$(){}\[\],;|&<>@#*?]') { "'" + ($name -replace "'", "''") + "'" } else { $name }
            if (-not $about) { $about = $name }
            [System.Management.Automation.CompletionResult]::new($text, $name, 'ParameterValue', $about)
        }
    }
}
