//! The code that `docs/add-a-service.md` shows is the example that compiles and is tested.

const PAGE: &str = include_str!("../../docs/add-a-service.md");
const EXAMPLE: &str = include_str!("../examples/resource_service.rs");

#[test]
fn the_page_quotes_the_example_to_the_letter() {
    let blocks = PAGE.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    assert_eq!(blocks.collect::<Vec<_>>().join("\n"), EXAMPLE);
}
