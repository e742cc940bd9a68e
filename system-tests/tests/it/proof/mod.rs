//! What makes somebody choose Latchkey, each claim shown by a program that tries to break it. The same programs run for longer, and with
//! more that fails, as `make torture`.

mod linearizable;
