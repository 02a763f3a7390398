//! The seeded source of everything random in the workload: the same seed gives the same bytes on every machine.
//!
//! xoshiro256++ seeded by splitmix64 (Blackman and Vigna, public domain). Not for keys: those come from aws-lc-rs.

/// A small, fast, seeded generator.
#[derive(Debug, Clone)]
pub(super) struct Rng {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

/// One step of splitmix64: spreads a seed over all bits.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// A generator for this seed.
    pub(super) fn new(seed: u64) -> Self {
        let a = mix(seed);
        let b = mix(a);
        let c = mix(b);
        Self { a, b, c, d: mix(c) }
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        let result = self.a.wrapping_add(self.d).rotate_left(23).wrapping_add(self.a);
        let t = self.b << 17;
        self.c ^= self.a;
        self.d ^= self.b;
        self.b ^= self.c;
        self.a ^= self.d;
        self.c ^= t;
        self.d = self.d.rotate_left(45);
        result
    }

    /// A number from 0 to `end`, exclusive; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let wide = (self.bits() >> 32) * u64::from(end);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// A number from `low` to `high`, both inclusive.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True `per_mille` times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// A float from 0 to 1, exclusive.
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }

    /// A log-normal value with this median and spread (of the logarithm).
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // the sum of four uniforms is normal enough, and needs no logarithm and cosine
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        median * ((sum - 2.0) * 3f64.sqrt() * sigma).exp()
    }

    /// One of the items; `None` when there are none.
    pub(super) fn one_of<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        items.get(at)
    }

    /// One of the texts; empty when there are none.
    pub(super) fn pick(&mut self, items: &[&'static str]) -> &'static str {
        self.one_of(items).copied().unwrap_or("")
    }

    /// The position of one of the weights, likelier the heavier it is.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        0
    }

    /// Appends `count` letters of the alphabet (which must be ASCII).
    pub(super) fn letters(&mut self, alphabet: &str, count: u32, out: &mut String) {
        for _ in 0..count {
            if let Some(letter) = self.one_of(alphabet.as_bytes()) {
                out.push(char::from(*letter));
            }
        }
    }
}

/// Zipf's law over ranks from 0: rank k is chosen in proportion to 1 / (k + 1)^s.
#[derive(Debug)]
pub(super) struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    /// A table for `ranks` ranks.
    pub(super) fn new(ranks: u32, exponent: f64) -> Self {
        let mut total = 0.0;
        let cumulative = (0..ranks)
            .map(|rank| {
                total += (f64::from(rank) + 1.0).powf(-exponent);
                total
            })
            .collect();
        Self { cumulative }
    }

    /// A rank.
    pub(super) fn rank(&self, rng: &mut Rng) -> u32 {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let wanted = rng.unit() * total;
        let at = self.cumulative.partition_point(|sum| *sum <= wanted);
        u32::try_from(at.min(self.cumulative.len().saturating_sub(1))).unwrap_or(0)
    }
}
