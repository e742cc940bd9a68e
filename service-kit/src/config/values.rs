//! How values are written: whole numbers, durations, lists, and words to choose from. For `#[serde(deserialize_with = "…")]` and `#[serde(with = "…")]`.

use std::fmt;

use serde::de::value::{StrDeserializer, U64Deserializer};
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, SeqAccess, Unexpected, Visitor};

/// One of an enum's unit variants, written as text. The error lists what there is to choose from.
pub fn choice<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let word = String::deserialize(deserializer)?;
    let word: StrDeserializer<'_, D::Error> = word.as_str().into_deserializer();
    T::deserialize(word)
}

/// A whole number, as one or in digits and nothing else. The library would also take `on`, `true` and 0.6 for 1, and `no` for 0.
pub fn whole<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let number = deserializer.deserialize_any(Whole)?;
    let number: U64Deserializer<D::Error> = number.into_deserializer();
    T::deserialize(number)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        number.try_into().map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        // A sign is understood by the parser of numbers, and is no digit.
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A span of time, such as `15m`, `30d`, `1h 30m` or `0s`. A number alone is refused, for it does not say its unit.
pub mod duration {
    use super::{Deserialize, Deserializer, Duration, Error};

    /// A [`Duration`] that must be given.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        // humantime takes a lone `0`; to allow that one number would only invite others.
        let has_unit = text.chars().any(char::is_alphabetic);
        let parsed = humantime::parse_duration(text.trim()).ok().filter(|_| has_unit);
        parsed.ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration such as `15m`, `30d` or `0s`")))
    }

    /// A [`Duration`] that may be left out; also write `#[serde(default)]`.
    pub mod option {
        use super::{Deserializer, Duration};

        /// `None` where the key is not given at all.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

use std::time::Duration;

/// Lists: an array in a file, or a text with commas between the items, as in the environment. Space around an item does not count,
/// nor do empty items.
pub mod list {
    use ipnet::IpNet;
    use secrecy::SecretString;

    use super::{Deserializer, Error, IpAddr, Items};

    /// A list of texts.
    pub fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(Items)
    }

    /// A list of secrets.
    pub fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
        Ok(strings(deserializer)?.into_iter().map(SecretString::from).collect())
    }

    /// A list of networks (`10.0.0.0/8`); an address alone is the network of that one address.
    pub fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
        let parse = |text: String| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| {
                D::Error::custom(format!("`{text}` is neither a network such as `10.0.0.0/8` nor an address"))
            })
        };
        strings(deserializer)?.into_iter().map(parse).collect()
    }
}

use std::net::IpAddr;

struct Items;

impl Items {
    fn keep(item: &str) -> Option<String> {
        let item = item.trim();
        (!item.is_empty()).then(|| item.to_owned())
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or a text with commas between the items")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.split(',').filter_map(Self::keep).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<String>()? {
            list.extend(Self::keep(&item));
        }
        Ok(list)
    }
}
