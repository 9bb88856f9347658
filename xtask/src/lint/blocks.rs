//! The fenced YAML of a page, as files that a linter takes.

use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes each block of `page` that holds `needle` into `folder`, under a name that says where it comes from.
pub(super) fn extract(page: &Path, needle: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let name = page.file_stem().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for (line, block) in yaml(&text).into_iter().filter(|(_, block)| block.contains(needle)) {
        let file = folder.join(format!("{name}.md:{line}.yaml"));
        fs::write(&file, block)?;
        files.push(file);
    }
    Ok(files)
}

/// Every block fenced as YAML, with the line of its fence.
fn yaml(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match &mut open {
            None if line == "```yaml" => open = Some((index + 1, String::new())),
            None => {}
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some((_, block)) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::yaml;

    #[test]
    fn only_yaml_is_taken_and_its_place_is_said() {
        let page = "a\n```yaml\nb: 1\n```\n```sh\nc: 1\n```\n```yaml\nd: 1\ne: 1\n```\n";
        assert_eq!(yaml(page), [(2, "b: 1\n".to_owned()), (8, "d: 1\ne: 1\n".to_owned())]);
    }
}
