//! The generation that later steps act for, as `order` gives it.

use clap::Args;
use dns01_core::Exit;

use crate::Failure;

/// Which generation a step acts for.
#[derive(Args, Clone, Debug, Default)]
pub struct GenerationArgs {
    /// Generation to act for, as `order` writes it
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub generation: Option<String>,
}

impl GenerationArgs {
    /// The number; absent or empty is exit 11, because the step that makes it did not succeed.
    pub fn read(&self) -> Result<u64, Failure> {
        let text = self.generation.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| {
            Failure::new(
                Exit::Config,
                "no generation is given: the step that makes it did not succeed",
            )
            .hint("look at the `order` step of this run")
        })?;
        text.parse().map_err(|_| {
            Failure::new(Exit::Input, format!("`{text}` is no generation: it is a number"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_generation_is_11_and_a_wrong_one_12() {
        let read = |text: &str| GenerationArgs { generation: Some(text.into()) }.read();
        assert_eq!(read("7").unwrap(), 7);
        assert_eq!(read(" ").unwrap_err().exit(), Exit::Config);
        assert_eq!(read("-1").unwrap_err().exit(), Exit::Input);
        assert_eq!(GenerationArgs::default().read().unwrap_err().exit(), Exit::Config);
    }
}
